"""The stages of landing: items are prepared ahead in order and stored in whole row groups."""

import threading
from collections.abc import Iterator
from itertools import pairwise

import pyarrow as pa
import pytest

from ingestion.landing import pipeline
from ingestion.landing.ahead import Ahead
from ingestion.landing.pipeline import MOST_AT_ONCE, ROW_GROUP, in_row_groups
from ingestion.records.read_objects import Lot


def test_prepared_items_come_in_order_and_an_error_comes_in_its_turn() -> None:
    is_made = threading.Semaphore(0)

    def numbers() -> Iterator[int]:
        for number in range(3):
            is_made.release()
            yield number
        raise OSError("away")

    with Ahead(numbers()) as ahead:
        made = iter(ahead)
        assert next(made) == 0
        assert is_made.acquire(timeout=10)
        assert is_made.acquire(timeout=10)  # the second item, which nobody has asked for yet
        assert [next(made), next(made)] == [1, 2]
        with pytest.raises(OSError, match="away"):
            next(made)


def test_it_is_known_whether_the_next_one_is_made() -> None:
    may_be_made = threading.Event()

    def numbers() -> Iterator[int]:
        yield 1
        may_be_made.wait(10)
        yield 2

    with Ahead(numbers()) as ahead:
        made = iter(ahead)
        assert next(made) == 1
        assert not ahead.is_ready()
        may_be_made.set()
        assert next(made) == 2
        assert list(made) == []
        assert ahead.is_ready()


def test_stopping_early_leaves_no_thread() -> None:
    before = threading.active_count()
    with Ahead(iter(range(100))) as first, Ahead(iter(first)) as second:
        assert next(iter(second)) == 0
    assert threading.active_count() == before


@pytest.mark.parametrize("sizes", [[], [0], [1], [ROW_GROUP], [70_000] * 7, [300_000, 1, 0, 245_759], [100] * 30])
def test_rows_are_stored_in_whole_row_groups_and_none_is_lost(sizes: list[int]) -> None:
    ends = [sum(sizes[:place]) for place in range(len(sizes) + 1)]
    tables = [pa.table({"row": pa.array(range(*pair), pa.int64())}) for pair in pairwise(ends)]
    lots = [rows for _, rows in in_row_groups(Lot("events", table) for table in tables)]
    assert all(lot.num_rows % ROW_GROUP == 0 for lot in lots[:-1])
    groups = [batch for lot in lots for batch in lot.to_batches()]
    assert [group.num_rows for group in groups[:-1]] == [ROW_GROUP] * (len(groups) - 1)
    assert all(0 < group.num_rows <= ROW_GROUP for group in groups)
    assert [row for group in groups for row in group["row"].to_pylist()] == list(range(sum(sizes)))


def test_what_has_waited_is_stored_together_up_to_a_limit() -> None:
    tables = [pa.table({"row": pa.array(range(ROW_GROUP + 1), pa.int64())}) for _ in range(10)]
    waits = iter([True, False, *[True] * 8])
    lots = in_row_groups((Lot("events", table) for table in tables), lambda: next(waits))
    assert [rows.num_rows for _, rows in lots] == [
        2 * ROW_GROUP,
        MOST_AT_ONCE,
        10 * (ROW_GROUP + 1) - 2 * ROW_GROUP - MOST_AT_ONCE,
    ]


def test_each_table_has_lots_of_its_own_and_many_bytes_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MOST_BYTES", 1000)
    few, long = pa.table({"row": ["x"]}), pa.table({"row": ["x" * 600]})
    lots = [Lot("events", few), Lot("rejected_records", long), Lot("events", few), Lot("rejected_records", long)]
    assert [(table, rows.num_rows) for table, rows in in_row_groups([*lots, *lots[:2]])] == [
        ("rejected_records", 2),
        ("events", 3),
        ("rejected_records", 1),
    ]
