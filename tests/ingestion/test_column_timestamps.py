"""Timestamps recognised by layout: a plain timestamp has one value, and cameras' timestamps are plain."""

from datetime import datetime, timedelta
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contract.events import Refused, read_timestamp
from ingestion.reading.column_timestamps import are_plain_timestamps
from tests.plant import NOW

CLOCKS = ["10:15", "23:59", "00:00:00", "09:05:59", *(f"10:15:30.{'123456'[:digits]}" for digits in range(1, 7))]
ZONES = ["Z", "+00:00", "-03:30", "+05:45", "+14:00", "-12:00"]
USUAL = [f"2026-01-15{between}{clock}{zone}" for between in "T " for clock in CLOCKS for zone in ZONES]
ODD = [
    *("2026-01-15T24:00:00Z", "2026-01-15T 1:15:00Z", "2026-01-15T1:15:00Z", "2026-01-15T10:15:60Z"),
    *("2026-01-15T10:15:00", "2026-01-15T10:15:00z", "2026-01-15t10:15:00Z", "2026-01-15T10:15:00+05", "2026-01-15Z"),
    *(
        "2026-01-15T10:15:00,05:30",
        "2026-01-15T10:15:00 05:30",
        "2026-01-15T10:15:00.Z",
        "2026-01-15T10:15:00.1234567Z",
    ),
    *(
        "2026/01/15T10:15:00Z",
        "2026-02-30T10:15:00Z",
        "2026-13-01T10:15:00Z",
        "+026-01-15T10:15:00Z",
        "20 6-01-15T10:15Z",
    ),
    *(
        "2026-01-15T10:15:00+24:00",
        "2026-01-15T10:15:00+10:60",
        "2026-01-15T10:15:00+19:30",
        "\uff12026-01-15T10:15:00Z",
    ),
    *("", "Z", "infinity", "epoch", "now", "2026-01-15T10:15:00 Europe/Berlin", "2026-01-15 (BC)T10:15:00Z"),
]


def of_the_contract(text: str) -> datetime | None:
    try:
        return read_timestamp(text, NOW + timedelta(days=365_000))
    except Refused:
        return None


def check(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        rows = pa.table({"place": range(len(texts)), "text": column})  # noqa: F841  # DuckDB finds it by its name
        cast = connection.execute("select try_cast(text as timestamptz) from rows order by place").fetchall()
    for text, is_plain, (value,) in zip(texts, are_plain_timestamps(column).tolist(), cast, strict=True):
        if is_plain and value is not None and 2000 <= value.year <= 2999:  # all others are refused
            assert text is not None
            assert value == of_the_contract(text)


def test_what_cameras_send_is_plain() -> None:
    assert are_plain_timestamps(pa.array(USUAL)).all()
    for text in USUAL:
        assert are_plain_timestamps(pa.array([text] * 3)).tolist() == [True] * 3
        assert are_plain_timestamps(pa.array(["", text, None, "Z"])).tolist() == [False, True, False, False]


@pytest.mark.parametrize("text", ODD)
def test_what_is_plain_has_the_value_that_the_contract_gives_it(text: str) -> None:
    check([text])
    check(["2026-01-15T10:15:00Z", text, None, "2026-01-15T10:15:00.5+05:30"])


def test_every_offset_is_read_alike() -> None:
    offsets = [f"{sign}{hours:02}:{minutes:02}" for sign in "+-" for hours in range(25) for minutes in (0, 1, 30, 59)]
    check([f"2026-01-15T10:15:00{offset}" for offset in offsets])


@given(seed=st.integers(0, 2**32 - 1))
def test_a_bent_timestamp_is_not_plain_or_has_the_same_value(seed: int) -> None:
    random = Random(seed)
    texts: list[str | None] = [random.choice(USUAL) for _ in range(random.randint(1, 30))]
    for place in range(0, len(texts), random.choice([1, 5])):
        chars = list(random.choice(USUAL))
        for _ in range(random.randint(1, 2)):
            chars[random.randrange(len(chars))] = random.choice([*"0123456789 :-+.,TZtz/", "", "é", "\x00"])
        texts[place] = "".join(chars)
    check(texts)


def test_a_part_of_a_column_is_looked_at_and_nothing_else() -> None:
    column = pa.array(["x", *USUAL, "2026-01-15T24:00:00Z"])
    assert are_plain_timestamps(column[1:-1]).all()
    assert are_plain_timestamps(column).tolist() == [False, *[True] * len(USUAL), False]
    assert are_plain_timestamps(column[:0]).tolist() == []
