import hashlib
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import jinja2
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contract.event_key import EVENT_KEY_SQL, event_key, is_in_review_sample, sample_bound
from ingestion.contract.events import EVENT_TYPES, Event

EVENT = Event(
    timestamp=datetime(2026, 1, 15, 10, 15, 0, 1, tzinfo=UTC),
    site_id="A",
    camera_id="c",
    worker_id="Wé",
    workstation_id="S3",
    event_type="working",
    confidence=0.93,
    count=1,
    model_name="m",
    model_version="1",
)


def test_the_key_is_the_hash_of_the_duplicate_key_alone() -> None:
    assert event_key(EVENT) == hashlib.md5("1768472100000001|working|1:A|2:Wé|2:S3".encode()).hexdigest()
    assert event_key(replace(EVENT, camera_id="d", confidence=0.1, count=7)) == event_key(EVENT)


def test_one_instant_in_two_time_zones_is_one_key() -> None:
    shifted = EVENT.timestamp.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert event_key(replace(EVENT, timestamp=shifted)) == event_key(EVENT)


def test_identifiers_that_run_together_give_different_keys() -> None:
    one = replace(EVENT, site_id="A|1:B", worker_id="C")
    other = replace(EVENT, site_id="A", worker_id="B|1:C")
    assert event_key(one) != event_key(other)


# Characters of one to four bytes, combining characters, quotes, and the separators of the key's own text.
IDENTIFIERS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=64) | st.text(
    "a|:0\u0301\U0001f469\u200d'\\", min_size=1, max_size=8
)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
EVENTS = st.builds(
    Event,
    timestamp=st.integers(0, 2**51).map(lambda microseconds: FIRST + timedelta(microseconds=microseconds)),
    site_id=IDENTIFIERS,
    camera_id=st.just("c"),
    worker_id=IDENTIFIERS,
    workstation_id=IDENTIFIERS,
    event_type=st.sampled_from(EVENT_TYPES),
    confidence=st.just(0.5),
    count=st.just(1),
    model_name=st.just("m"),
    model_version=st.just("1"),
)


def macro_of_the_models() -> str:
    """The SQL of dbt's macro `event_key` for DuckDB."""
    source = (Path(__file__).parents[2] / "dbt_project/macros/review.sql").read_text(encoding="utf-8")

    class Adapter:
        def dispatch(self, name: str, _: str) -> object:
            return getattr(template.module, f"duckdb__{name}")

    template = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(source, globals={"adapter": Adapter()})
    return str(template.module.event_key())  # type: ignore[attr-defined]  # the macros are found when it is rendered


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=20))
def test_sql_gives_the_same_keys_as_python_for_any_identifiers(events: list[Event]) -> None:
    rows = pa.Table.from_pylist(
        [{"event_at": event.timestamp, **asdict(event)} for event in events],
        schema=pa.schema(
            [("event_at", pa.timestamp("us", tz="UTC"))]
            + [(name, pa.string()) for name in ("event_type", "site_id", "worker_id", "workstation_id")]
        ),
    )
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        found = connection.execute(f"select {EVENT_KEY_SQL}, {macro_of_the_models()} from rows").fetchall()
    assert found == [(event_key(event), event_key(event)) for event in events]


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 2**128 - 1))
def test_a_larger_fraction_only_adds_events_and_a_sample_has_the_requested_size(
    one: float, other: float, number: int
) -> None:
    key = f"{number:032x}"
    smaller, larger = sorted((one, other))
    assert is_in_review_sample(key, larger) or not is_in_review_sample(key, smaller)
    assert is_in_review_sample(key, one) == (number < one * 2**128)


def test_the_bounds_of_no_and_of_all_events() -> None:
    assert not is_in_review_sample("0" * 32, 0)
    assert is_in_review_sample("f" * 32, 1)
    assert sample_bound(0.5) == "8" + "0" * 31
