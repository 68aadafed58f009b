"""Many plain lines and a few bent ones: reading by columns judges each line as the exact reading does.

The proof by counting bytes sums over many records, so one record's deficit could be hidden by another's excess. Here
most lines are valid, and the others are bent by a byte or a member each, so that they may compensate for each other.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from ingestion.bucket import FetchedObject
from ingestion.contract.events import Refusal, folder_of, judge_record
from ingestion.reading import column_rules, proof
from ingestion.reading import events as exact
from ingestion.reading.events import EventReader, columns_of
from ingestion.records import slices
from ingestion.records.opening import open_slices
from ingestion.records.read_objects import ReadObjects
from ingestion.records.values import Reader, Tear
from ingestion.settings import Settings
from tests.plant import NOW
from tests.properties.awkward_objects import record_text
from tests.properties.awkward_texts import NUMBERS, OTHER_TEXTS, STRINGS

SETTINGS = Settings()
MARKS = [",", '"', "{", "}", "[", "]", ":", "\\", " ", "\t", "\r", "0", "-", ".", "e", "\ufeff", "\u2028", "\x00", "\n"]
NAMES = [
    "zone",
    "contract_version",
    "contract_version",
    "Worker_id",
    "worker_id",
    "count",
    "count_total",
    "event_id",
    "confidence",
    "timestamp",
    "",
    "a,b",
    r"\u0063ount",
    "{",
    "é",
]
TIMESTAMPS = [
    *["2026-01-{day:02}T10:15:{second:02}Z"] * 4,
    "2026-01-{day:02}T10:15:{second:02}.{second:03}Z",
    "2026-01-{day:02} 10:15:{second:02}.{second:06}+05:30",
    "2026-01-{day:02}T{day:02}:15-{second:02}:00",
    "2026-01-{day:02}T{day:02}:15:{second:02}.1234567Z",
    "2026-0{day}-{day:02}T10:15:00Z",
]
TEXTS = ['"x"', '"a, b"', '"{}"', '"[]"', r'"\""', r'"\u0041"', r'"\\"', '"é"', '" x "', '"a:b"', '""']


def plain(random: Random) -> dict[str, Any]:
    record: dict[str, Any] = {
        "timestamp": random.choice(TIMESTAMPS).format(day=random.randint(1, 28), second=random.randint(0, 59)),
        "worker_id": f"W{random.randint(0, 400)}",
        "workstation_id": random.choice(["S1", "7", "true", "null", "Station 3"]),
        "event_type": random.choice(["working", "idle", "absent", "product_count"]),
        "confidence": random.choice([0, 1, 0.5, random.random(), 1e-05]),
    }
    if random.random() < 0.2:
        record["contract_version"] = 1
    for name in ("site_id", "camera_id", "model_name", "model_version"):
        if random.random() < 0.5:
            record[name] = random.choice([name[:1].upper(), " Prüfer\u00a01", "u\u0308", "W\u200b"])
    if random.random() < 0.5:
        name, highest = random.choice([("count", 1_000_000), ("count", 1_000_000), ("count_total", 10**15)])
        whole = random.randint(0, highest)
        record[name] = float(whole) if random.random() < 0.2 else whole
    if random.random() < 0.2:
        record["event_id"] = random.choice(["p1", 17, "17", " p1", 1.0, True, "é"])
    if random.random() < 0.2:
        del record["worker_id"]
    return record


def text_of(record: dict[str, Any], random: Random) -> str:
    separators = random.choice([None, (",", ":"), (",", ":")])
    return json.dumps(record, separators=separators, ensure_ascii=random.random() < 0.5)


def with_member(text: str, random: Random) -> str:
    """Add a member at either end: unknown, a repeated name, or with a value of another kind."""
    value = random.choice([*NUMBERS, *OTHER_TEXTS, *STRINGS, *TEXTS])
    member = f'"{random.choice(NAMES)}":{value}'
    return f"{{{member},{text[1:]}" if random.random() < 0.5 else f"{text[:-1]},{member}}}"


def with_other_value(_: str, random: Random) -> str:
    record = plain(random)
    name = random.choice(list(record))
    record[name] = "\ue000"
    value = random.choice(
        [*NUMBERS, *OTHER_TEXTS, *STRINGS, *TEXTS, "null", "7", "true", '"0.9"', '{"a":"b"}', '["a"]']
    )
    return text_of(record, random).replace('"\\ue000"', value).replace('"\ue000"', value)


def with_other_byte(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + random.choice([*MARKS, ""]) + text[place + random.choice([0, 0, 1]) :]


def without_member(_: str, random: Random) -> str:
    record = plain(random)
    del record[random.choice(list(record))]
    return text_of(record, random)


BENDS: list[Callable[[str, Random], str]] = [
    with_member,
    with_member,
    with_other_value,
    with_other_value,
    with_other_byte,
    without_member,
    lambda text, _: text[:-1] + ",}",
    lambda text, _: f"{text} {text}",
    lambda text, _: f"[{text}]",
    lambda text, random: text + random.choice(MARKS),
    lambda _, random: record_text(random),
    lambda _, random: random.choice(OTHER_TEXTS),
    lambda _, random: random.choice(["", " ", "\r", " \t"]),
]


def line(random: Random, share_bent: float) -> str:
    text = text_of(plain(random), random)
    while random.random() < share_bent:
        text = random.choice(BENDS)(text, random)
        share_bent = 0.4
    return text


def exactly(
    objects: list[FetchedObject], nameless: frozenset[str]
) -> tuple[dict[tuple[int, int, int], Any], list[int], list[set[str]]]:
    """The result of reading value by value: accepted rows, rejected records, numbers of records, unknown fields."""
    found: dict[tuple[int, int, int], Any] = {}
    counts: list[int] = []
    unexpected: list[set[str]] = []
    for index, fetched in enumerate(objects):
        assert fetched.content is not None
        reader = Reader()
        text = fetched.content.rstrip(b"\0")  # zero bytes at the end are a tear, and are removed
        values = list(reader.read(text, tear=Tear.ARRAY))
        is_torn = reader.is_torn or text != fetched.content
        counts.append(len(values) + is_torn)
        unexpected.append(set())
        if is_torn:
            found[index, 0, 1] = (index, 0, 1, "malformed_json")
        for raw, position, part in values:
            verdict, names = judge_record(raw, folder_of(fetched.key), NOW, nameless)
            unexpected[-1] |= names
            if isinstance(verdict, Refusal):
                payload = raw.decode("utf-8", "replace")
                found[index, position, part] = (index, position, part, verdict.reason, verdict.detail, payload)
            else:
                found[index, position, part] = columns_of(verdict, index, position, part)
    return found, counts, unexpected


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@example(seed=2_819_497_486, share_bent=0.5, block_records=1, slice_bytes=1, nameless=frozenset())
@given(
    seed=st.integers(0, 2**32 - 1),
    share_bent=st.sampled_from([0.0, 0.01, 0.05, 0.5]),
    block_records=st.sampled_from([1, 2, 7, 1000]),
    slice_bytes=st.sampled_from([1, 5_000, 1 << 27]),
    nameless=st.sampled_from([frozenset(), frozenset({"S", "a b", "Prüfer 1"})]),
)
def test_columns_judge_every_line_as_the_exact_reading_does(
    seed: int, share_bent: float, block_records: int, slice_bytes: int, nameless: frozenset[str]
) -> None:
    random = Random(seed)
    objects = []
    for number in range(random.choice([1, 4, 12])):
        lines = [line(random, share_bent) for _ in range(random.randint(2, 120))]
        lines[:2] = [text_of(plain(random), random) for _ in range(2)]  # a complete first line, and a second one
        content = random.choice(["\n", "\n", "\r\n", "\n\n"]).join(lines) + random.choice(["", "\n", "\n\n", "\r\n"])
        key = random.choice(["events/", "events/site_id=a b/", "events/camera_id= x /"]) + f"{number}.jsonl"
        objects.append(FetchedObject(key, content.encode(), len(content.encode()), ""))
    with pytest.MonkeyPatch.context() as patched, duckdb.connect() as session:
        patched.setattr(proof, "BLOCK_RECORDS", block_records)
        patched.setattr(column_rules, "BLOCK_RECORDS", block_records)
        patched.setattr(slices, "SLICE_BYTES", slice_bytes)
        session.execute("set timezone = 'UTC'")
        read, reader = ReadObjects(), EventReader(NOW, session, nameless)
        opened = open_slices(objects, lambda _: iter(()), SETTINGS, read)
        tables = [
            events
            for records, left_out in opened
            for events in reader.judge(reader.parse(records, left_out), records, left_out, read)
        ]
    rows = [row for table in tables for row in table.to_pylist()]
    found = {(row["object_index"], row["position"], row["part"]): row for row in rows}
    found |= {(one[0], one[1], one[2]): tuple(one[: 6 if one.position else 4]) for one in read.rejected}
    expected, counts, unexpected = exactly(objects, nameless)
    assert {place: (one, expected.get(place)) for place, one in found.items() if one != expected.get(place)} == {}
    assert len(rows) + len(read.rejected) == len(found) == len(expected)
    assert (read.record_counts, read.unexpected_fields) == (counts, unexpected)


def test_what_is_plainly_right_is_never_judged_record_by_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(raw: bytes, *_: object) -> None:
        raise AssertionError(raw)

    monkeypatch.setattr(exact, "judge_record", judged)
    random = Random(7)
    # As some producers write them: whole numbers with a zero fraction, an offset without its colon.
    lines = [
        json.dumps(
            plain(random) | {"timestamp": f"2026-01-15T10:15:{place % 60:02}.5Z", "event_id": f"p-{place}"},
            ensure_ascii=False,
        )
        for place in range(900)
    ]
    bent = {"timestamp": "2026-01-15 10:15+0100", "worker_id": " W1 ", "site_id": "é" * 64, "event_id": 7}
    padded = json.dumps(plain(random) | bent, ensure_ascii=False)
    spelled = json.dumps(
        {**plain(random), "count": 5.0, "event_id": "p", "timestamp": "2026-01-15T10:15-05"}, ensure_ascii=False
    )
    content = "\n".join([*lines, padded, spelled]).encode()
    key = "events/camera_id=c 1/all.jsonl"
    with duckdb.connect() as session:
        session.execute("set timezone = 'UTC'")
        read, reader = ReadObjects(), EventReader(NOW, session)
        [(records, left_out)] = open_slices(
            [FetchedObject(key, content, len(content), "")], lambda _: iter(()), SETTINGS, read
        )
        [events] = reader.judge(reader.parse(records, left_out), records, left_out, read)
    assert (events.num_rows, len(read.rejected)) == (902, 0)
    last = events.to_pylist()[-2]
    assert (last["worker_id"], last["site_id"]) == ("W1", "é" * 64)
