"""Labels by HTTP: who may give them, for what, and what becomes of them. The browser's test is in tests/reports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from ingestion.contract.labels import judge_label
from ingestion.errors import SettingsError
from ingestion.intake.keys import Reviewer, hash_of, read_reviewers
from ingestion.media_url import check_template, media_url, origin_of
from tests.ingestion.intake.running import RunningIntake, event, running_intake
from tests.plant import NOW

COLUMNS = "site_id,reviewer,key_sha256"
MEDIA = "http://recorder.example:81/{site_id}/{camera_id}?at={timestamp}"


def publish(data_dir: Path) -> None:
    """Published marts as a batch leaves them, with two sites, one labelled and one disputed event."""
    folder = data_dir / "published"
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"""
            copy (
                select if(range < 8, 'north', 'south') as site_id, md5('event' || range) as event_key,
                    timestamptz '2026-01-15 10:15:00Z' + to_days((range // 4)::integer) as timestamp,
                    case when range <> 3 then 'W"<b>' end as worker_id, 'S 3' as workstation_id, 'idle' as event_type,
                    0.75::double as confidence, 'gate/ä' as camera_id
                from range(12)
            ) to '{folder}/review_queue.parquet';
            copy (
                select 'north' as site_id, md5('event' || range) as event_key, range = 1 as is_disputed from range(2)
            ) to '{folder}/labelled_events.parquet';
            """
        )


def key_of(number: int) -> str:
    return hashlib.md5(f"event{number}".encode(), usedforsecurity=False).hexdigest()


@pytest.fixture(scope="module")
def labelling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIntake]:
    """An intake with two reviewers of one site, one of every site, and a camera's key."""
    folder = tmp_path_factory.mktemp("labelling")
    publish(folder)
    reviewers = [("north", "reviewer-1", "one"), ("north", "reviewer-2", "two"), ("*", "reviewer-3", "all")]
    lines = [COLUMNS, *(f"{site},{name},{hash_of(key)}" for site, name, key in reviewers)]
    (folder / "reviewers.csv").write_text("\n".join(lines))
    (folder / "keys.csv").write_text(f"site_id,camera_id,key_sha256\nnorth,,{hash_of('camera')}\n")
    with running_intake(
        folder, media_url=MEDIA, api_keys_file=folder / "keys.csv", reviewers_file=folder / "reviewers.csv"
    ) as running:
        yield running


def stored(intake: RunningIntake) -> list[dict[str, str]]:
    files = sorted((intake.data_dir / "landing/labels").rglob("[!_]*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


def label(number: int, answer: str = "working") -> dict[str, str]:
    return {"event_key": key_of(number), "true_event_type": answer}


def test_a_label_is_a_record_of_the_contract_that_names_the_keys_reviewer(labelling: RunningIntake) -> None:
    answer = labelling.post("/api/labels", label(2), X_API_Key="one")
    assert answer.status == 201
    assert answer.json in stored(labelling)
    assert (answer.json["reviewer"], answer.json["true_event_type"]) == ("reviewer-1", "working")
    verdict, unexpected = judge_label(json.dumps({**answer.json, "reviewed_at": NOW.isoformat()}).encode(), NOW)
    assert getattr(verdict, "event_key", None) == key_of(2)
    assert not unexpected


def test_the_same_label_twice_is_one_and_a_changed_mind_is_another(labelling: RunningIntake) -> None:
    before = len(stored(labelling))
    first = labelling.post("/api/labels", label(4), X_API_Key="one")
    again = labelling.post("/api/labels", label(4), X_API_Key="one")
    assert (first.status, again.status, again.json) == (201, 200, first.json)
    assert len(stored(labelling)) == before + 1
    assert labelling.post("/api/labels", label(4, "idle"), X_API_Key="one").status == 201
    # Two people who see one event give two labels.
    assert labelling.post("/api/labels", label(4, "cannot_tell"), X_API_Key="two").status == 201
    assert [one["reviewer"] for one in stored(labelling)[before:]] == ["reviewer-1", "reviewer-1", "reviewer-2"]


def test_labels_that_come_at_one_moment_are_all_durable(labelling: RunningIntake) -> None:
    before = len(stored(labelling))
    with ThreadPoolExecutor(8) as pool:
        sent = pool.map(lambda n: labelling.post("/api/labels", label(n), X_API_Key="all").status, range(3, 11))
    assert set(sent) == {201}
    assert len(stored(labelling)) == before + 8


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (label(5), {}, 401, "unknown_api_key"),
        (label(5), {"X_API_Key": "wrong"}, 401, "unknown_api_key"),
        (label(5), {"X_API_Key": hash_of("one")}, 401, "unknown_api_key"),
        (label(5), {"X_API_Key": "camera"}, 401, "unknown_api_key"),
        (label(5), {"X_API_Key": "one", "Origin": "http://elsewhere.example"}, 403, "other_origin"),
        (label(5), {"X_API_Key": "one", "Origin": "null"}, 403, "other_origin"),
        (label(5), {"X_API_Key": "one", "Host": "elsewhere.example"}, 421, "unknown_host"),
        (label(9), {"X_API_Key": "one"}, 422, "not_in_queue"),
        (label(99), {"X_API_Key": "one"}, 422, "not_in_queue"),
        ({**label(5), "reviewer": "reviewer-2"}, {"X_API_Key": "one"}, 422, "other_fields"),
        ({**label(5), "reviewed_at": "2026-01-16T09:00:00Z"}, {"X_API_Key": "one"}, 422, "other_fields"),
        ([label(5)], {"X_API_Key": "one"}, 422, "other_fields"),
        (label(5, "nobody"), {"X_API_Key": "one"}, 422, "unknown_answer"),
        ({"event_key": 5, "true_event_type": "idle"}, {"X_API_Key": "one"}, 422, "unknown_answer"),
        (b"{", {"X_API_Key": "one"}, 422, "malformed_json"),
        (b"", {"X_API_Key": "one"}, 400, "empty_body"),
        (b" " * 5000, {"X_API_Key": "one"}, 413, "too_large"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_label_of_this_reviewer_is_refused_and_not_stored(
    labelling: RunningIntake, body: object, headers: dict[str, str], status: int, reason: str
) -> None:
    before = stored(labelling)
    answer = labelling.post("/api/labels", body, **headers)
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert stored(labelling) == before


def test_a_reviewers_key_writes_no_event(labelling: RunningIntake) -> None:
    assert labelling.post("/api/events", event(site_id="north"), X_API_Key="one").status == 401
    assert labelling.post("/api/events", event(site_id="north"), X_API_Key="camera").status == 201


def test_the_queue_has_what_nobody_answered_or_reviewers_disagree_about_of_the_keys_site(
    labelling: RunningIntake,
) -> None:
    answer = labelling.request("GET", "/api/labels", headers={"X-API-Key": "two"})
    assert (answer.status, answer.json["reviewer"]) == (200, "reviewer-2")
    keys = [scene["key"] for scene in answer.json["scenes"]]
    # 0 is labelled and undisputed, reviewer-2 has answered 4, and 8 to 11 are of another site; the newest day is first.
    assert sorted(keys[:3]) == sorted(key_of(number) for number in (5, 6, 7))
    assert sorted(keys[3:]) == sorted(key_of(number) for number in (1, 2, 3))
    assert answer.json["left"] == {"review": 6, "audit": 0}
    scene = next(scene for scene in answer.json["scenes"] if scene["key"] == key_of(1))
    assert scene["media"] == "http://recorder.example:81/north/gate%2F%C3%A4?at=2026-01-15T10%3A15%3A00Z"
    assert (scene["at"], scene["reported"], scene["worker_id"]) == ("2026-01-15T10:15:00Z", "idle", 'W"<b>')
    for key in ("wrong", "camera"):
        assert labelling.request("GET", "/api/labels", headers={"X-API-Key": key}).status == 401
    refused = labelling.request("GET", "/api/labels?queue=other", headers={"X-API-Key": "two"})
    assert (refused.status, refused.json["reason"]) == (422, "unknown_queue")


def test_the_page_may_show_images_of_the_recorder_and_nothing_else_of_another_server(labelling: RunningIntake) -> None:
    for path in ("/label", "/label/label.js", "/label/label.css"):
        answer = labelling.request("GET", path)
        rules = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
        assert rules.pop("img-src") == "http://recorder.example:81"
        assert {rules.pop(name) for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
        assert set(rules.values()) == {"'none'"}
        assert set(rules) == {"default-src", "base-uri", "form-action", "frame-ancestors"}
        assert b"http" not in answer.content
    assert labelling.request("GET", "/label/page.js").status == 404


def test_without_marts_or_reviewers_the_intake_says_so(intake: RunningIntake, tmp_path: Path) -> None:
    off = intake.post("/api/labels", label(1), X_API_Key="one")
    assert (off.status, off.json["reason"]) == (403, "labelling_off")
    assert intake.request("GET", "/label").headers["Content-Security-Policy"].count("img-src 'none'") == 1
    (tmp_path / "published").mkdir()
    (tmp_path / "published/review_queue.parquet").write_bytes(b"torn")
    (tmp_path / "reviewers.csv").write_text(f"{COLUMNS}\n*,reviewer-1,{hash_of('one')}\n")
    with running_intake(tmp_path, reviewers_file=tmp_path / "reviewers.csv", allow_without_key="") as closed:
        for answer in (
            closed.request("GET", "/api/labels", headers={"X-API-Key": "one"}),
            closed.post("/api/labels", label(1), X_API_Key="one"),
        ):
            assert (answer.status, answer.json["reason"]) == (503, "queue_unreadable")
            assert answer.headers["Retry-After"]
        # Reviewers' keys alone open no way in for events.
        assert closed.post("/api/events", event()).status == 401
        (tmp_path / "published/review_queue.parquet").unlink()
        empty = closed.request("GET", "/api/labels", headers={"X-API-Key": "one"})
        assert (empty.json["left"], empty.json["scenes"]) == ({"review": 0, "audit": 0}, [])


@pytest.mark.parametrize(
    "template",
    [
        "ftp://recorder.example/{event_key}",
        "javascript:alert(1)//{event_key}",
        "//recorder.example/{event_key}",
        "https://user:word@recorder.example/{event_key}",
        "https://{camera_id}.example/a",
        "https://recorder.example{camera_id}",
        "https://*.example/{event_key}",
        "https://recorder.example;script-src/{event_key}",
        "https://recorder.example/{worker_id}",
        "https://recorder.example/{event_key",
        "https://recorder.example/a b",
    ],
)
def test_a_template_that_is_no_address_of_one_server_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"without a user|no address has|none of"):
        check_template(template)


def test_each_value_of_an_address_is_percent_encoded() -> None:
    template = check_template("HTTPS://Recorder.example/{site_id}/{camera_id}.jpg?k={event_key}")
    values = {"site_id": "../a", "camera_id": "c?&#", "event_key": "k"}
    assert media_url(template, values) == "HTTPS://Recorder.example/..%2Fa/c%3F%26%23.jpg?k=k"
    assert origin_of(template) == "https://recorder.example"
    assert media_url(template, {**values, "camera_id": ""}) is None
    assert media_url("", values) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("site_id,camera_id,key_sha256\n", "line 1: the columns are"),
        (f"{COLUMNS}\n", "has no API keys"),
        (f"{COLUMNS}\nnorth,,{'a' * 64}\n", "line 2: reviewer is ''"),
        (f"{COLUMNS}\nnorth,{'r' * 65},{'a' * 64}\n", "line 2: reviewer is"),
        (f"{COLUMNS}\nnorth,r,{'a' * 64}\nnorth,s,{'a' * 64}\n", "on two lines"),
    ],
)
def test_a_file_of_reviewers_that_cannot_be_right_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "reviewers.csv").write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        read_reviewers(tmp_path / "reviewers.csv")
    (tmp_path / "reviewers.csv").write_text(f"{COLUMNS}\n*, r ,{'a' * 64}\n")
    assert read_reviewers(tmp_path / "reviewers.csv") == {"a" * 64: Reviewer("r")}
