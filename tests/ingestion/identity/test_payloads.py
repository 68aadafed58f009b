"""The stored texts of rejected records under pseudonyms."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contract.events import Folder, Refusal, judge_record
from ingestion.identity.payloads import redact, shown_names
from ingestion.identity.pseudonyms import pseudonym
from tests.plant import NOW

NO_FOLDER = Folder()
KEY = b"a key that is long enough for a plant"
NAMES = st.sampled_from(["", "W1", " W1 ", "x" * 65])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
RECORDS = st.dictionaries(
    st.sampled_from(
        ["timestamp", "worker_id", "workstation_id", "event_type", "confidence", "count", "site_id", "who"]
    ),
    ANYTHING | st.sampled_from(["2026-01-15T10:15:00Z", "working", 0.5, "S3"]),
)


def kept(payload: str, detail: str = "", folder: Folder = NO_FOLDER) -> tuple[str | None, str]:
    return redact(payload, detail, folder, KEY)


def test_the_worker_becomes_a_token_and_all_other_known_fields_stay_as_they_were_written() -> None:
    payload, _ = kept('{"worker_id" : " W1 ","confidence":1.50,\n"count":1e3, "workstation_id":"S\\u0033"}')
    token = pseudonym(KEY, "default", "W1")
    assert payload == f'{{"worker_id": "{token}", "confidence": 1.50, "count": 1e3, "workstation_id": "S\\u0033"}}'


def test_the_token_is_the_one_that_accepted_events_of_that_worker_get() -> None:
    for folder, site in ((Folder("A"), "A"), (Folder(), "default")):
        assert json.loads(kept('{"worker_id": "W1"}', folder=folder)[0] or "")["worker_id"] == pseudonym(
            KEY, site, "W1"
        )
    assert json.loads(kept('{"worker_id": "W1", "site_id": " B "}')[0] or "")["worker_id"] == pseudonym(KEY, "B", "W1")


def test_fields_that_nobody_knows_and_what_lies_deeper_are_not_kept() -> None:
    assert kept('{"operator": "Jane", "workstation_id": {"worker": "W1"}, "camera_id": ["W1"]}')[0] == (
        '{"workstation_id": {}, "camera_id": []}'
    )


@pytest.mark.parametrize("text", ['"W1"', "[1]", "{W1", "W1\ufffd", "7"])
def test_text_that_is_no_object_is_not_kept(text: str) -> None:
    assert kept(text)[0] == ""


def test_the_sentence_about_a_bad_worker_id_does_not_show_it() -> None:
    verdict, _ = judge_record(json.dumps({**GOOD, "worker_id": "W" * 65}).encode(), Folder(), NOW)
    assert isinstance(verdict, Refusal)
    assert (
        kept("{}", verdict.detail)[1]
        == "worker_id is not shown here; expected a text of 1 to 64 characters, and this one has 65."
    )
    verdict, _ = judge_record(b'"W1"', Folder(), NOW)
    assert isinstance(verdict, Refusal)
    assert "W1" not in kept('"W1"', verdict.detail)[1]


GOOD = {
    "timestamp": "2026-01-15T10:15:00Z",
    "worker_id": "W1",
    "workstation_id": "S3",
    "event_type": "working",
    "confidence": 0.5,
}


@settings(deadline=None)
@given(RECORDS, st.booleans())
def test_what_is_kept_is_judged_as_the_whole_record_was(record: dict[str, object], is_nearly_good: bool) -> None:
    text = json.dumps({**GOOD, **record} if is_nearly_good else record)
    before, _ = judge_record(text.encode(), Folder(), NOW)
    payload, _ = kept(text)
    assert payload is not None
    after, _ = judge_record(payload.encode(), Folder(), NOW)
    if isinstance(before, Refusal):
        assert isinstance(after, Refusal)
        assert after.reason == before.reason
    else:
        assert not isinstance(after, Refusal)
        whole, own = before.worker_id, after.worker_id
        assert own == (None if whole is None else pseudonym(KEY, before.site_id, whole))


@pytest.mark.parametrize(
    "fields",
    [
        {"confidence": "Jane Doe"},
        {"confidence": '7; expected "Jane Doe'},
        {"count": "Jane Doe"},
        {"count": 1, "count_total": "Jane Doe"},
        {"contract_version": "Jane Doe"},
        {"timestamp": "Jane Doe"},
        {"event_type": "Jane Doe"},
        {"workstation_id": "Jane Doe" * 20},
        {"camera_id": {"worker": "Jane Doe"}},
        {"confidence": 7, "Jane Doe": 1},
    ],
)
def test_a_name_in_a_field_of_another_kind_is_kept_neither_in_the_text_nor_in_the_sentence(
    fields: dict[str, object],
) -> None:
    text = json.dumps({**GOOD, **fields})
    verdict, names = judge_record(text.encode(), Folder(), NOW)
    assert isinstance(verdict, Refusal)
    payload, detail = kept(text, verdict.detail)
    assert "Jane" not in f"{payload} {detail} {shown_names(names)}"
    after, _ = judge_record((payload or "").encode(), Folder(), NOW)
    assert isinstance(after, Refusal)
    assert after.reason == verdict.reason


def test_a_number_in_the_place_of_an_id_is_not_kept_and_a_wrong_time_is() -> None:
    payload, _ = kept('{"worker_id": "W1", "workstation_id": 17, "timestamp": "2026-13-01T10:00:00Z", "count": 17}')
    assert json.loads(payload or "") == {
        "worker_id": pseudonym(KEY, "default", "W1"),
        "workstation_id": {"redacted": True},
        "timestamp": "2026-13-01T10:00:00Z",
        "count": 17,
    }


def test_of_unknown_fields_only_common_words_keep_their_names() -> None:
    assert shown_names({"quantity", "Worker-ID", "Jane Doe", "W17"}) == {"quantity", "Worker-ID", "(not shown)"}
