import pytest

from ingestion.bridge.topics import BadPattern, read_patterns, route
from ingestion.edge.names import Stream

DEFAULT = Stream("default", "unknown")
PATTERNS = read_patterns(
    "plant/{site_id}/{camera_id}/events; frigate/events source=frigate site_id=north;"
    "spBv1.0/{site_id}/DDATA/+/{camera_id} source=sparkplug; raw/{source}/#; line/+/done camera_id=line"
)


def test_a_pattern_is_subscribed_to_with_wildcards_for_its_names() -> None:
    assert [one.topic_filter for one in PATTERNS] == [
        "plant/+/+/events", "frigate/events", "spBv1.0/+/DDATA/+/+", "raw/+/#", "line/+/done",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "folder"),
    [
        ("plant/north/C1/events", "site_id=north/camera_id=C1"),
        ("frigate/events", "site_id=north/camera_id=unknown/source=frigate"),
        ("spBv1.0/east/DDATA/node/press", "site_id=east/camera_id=press/source=sparkplug"),
        ("raw/axis", "site_id=default/camera_id=unknown/source=axis"),
        ("raw/axis/a/b", "site_id=default/camera_id=unknown/source=axis"),
        ("line/7/done", "site_id=default/camera_id=line"),
        ("plant/ north hall /Cam+1/events", "site_id=north hall/camera_id=Cam+1"),
        ("plant/../../events", "site_id=../camera_id=.."),  # names of one folder each, which lead nowhere
        ("plant/a%2Fb/50%/events", "site_id=a%252Fb/camera_id=50%25"),
        ("plant/a\\b/C1/events", "site_id=a%5Cb/camera_id=C1"),
    ],
)
def test_a_topic_names_the_folders_and_never_their_place(topic: str, folder: str) -> None:
    stream = route(topic, PATTERNS, DEFAULT)
    assert stream is not None
    assert stream.folder == folder
    assert all(part.count("=") == 1 and part != ".." for part in stream.folder.split("/"))
    assert Stream.of_folder(stream.folder) == stream


@pytest.mark.parametrize(
    "topic",
    [
        "plant/north/events", "plant/north/C1/events/more", "other", "", "plant//C1/events", "plant/ /C1/events",
        f"plant/{'x' * 65}/C1/events", "plant/a\x01b/C1/events", "plant/\u200b/C1/events", "raw/../x", "raw/.hidden/x",
        "raw/Ä/x", "plant/__HIVE_DEFAULT_PARTITION__/C1/events", "x/" * 30_000, None,
    ],
)  # fmt: skip
def test_a_topic_that_matches_nothing_or_names_no_identifier_belongs_nowhere(topic: str | None) -> None:
    assert route(topic, PATTERNS, DEFAULT) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" ; ", "it has no topic"),
        ("a/{line}/b", "{line} in 'a/{line}/b' is none of {site_id}, {camera_id} and {source}"),
        ("cam-{camera_id}/b", "the level 'cam-{camera_id}' of 'cam-{camera_id}/b' is not a name in braces alone"),
        ("a/b#", "the level 'b#' of 'a/b#' is neither a name nor a wildcard alone"),
        ("a/#/b", "# is not the last level of 'a/#/b'"),
        ("a site=1", "'site=1' after 'a' is none of site_id=, camera_id= and source="),
        ("a source=../x", "'source=../x' after 'a' has no identifier as its value"),
        ("{site_id} site_id=n", "'{site_id}' gives site_id twice"),
        ("$SYS/#", "'$SYS/#' begins with $, as the broker's own topics do"),
    ],
)
def test_a_pattern_that_cannot_be_used_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadPattern) as error:
        read_patterns(text)
    assert str(error.value) == reason
