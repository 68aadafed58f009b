"""The stages of a landing: made ahead in the same order, and given to the store in whole row groups."""

import threading
from collections.abc import Iterator
from itertools import pairwise

import pyarrow as pa
import pytest

from ingestion.ahead import ahead
from ingestion.chunks import ROW_GROUP, in_row_groups


def test_what_is_made_ahead_comes_in_order_and_an_error_comes_in_its_turn() -> None:
    is_made = threading.Semaphore(0)

    def numbers() -> Iterator[int]:
        for number in range(3):
            is_made.release()
            yield number
        raise OSError("away")

    made = ahead(numbers())
    assert next(made) == 0
    assert is_made.acquire(timeout=10)
    assert is_made.acquire(timeout=10)  # the second one, which nobody has asked for
    assert [next(made), next(made)] == [1, 2]
    with pytest.raises(OSError, match="away"):
        next(made)


def test_who_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    made = ahead(ahead(iter(range(100))))
    assert next(made) == 0
    del made
    assert threading.active_count() == before


@pytest.mark.parametrize("sizes", [[], [0], [1], [ROW_GROUP], [70_000] * 7, [300_000, 1, 0, 245_759], [100] * 30])
def test_rows_are_stored_in_whole_row_groups_and_none_is_lost(sizes: list[int]) -> None:
    ends = [sum(sizes[:place]) for place in range(len(sizes) + 1)]
    tables = [pa.table({"row": pa.array(range(*pair), pa.int64())}) for pair in pairwise(ends)]
    lots = list(in_row_groups(tables))
    assert [lot.num_rows for lot in lots[:-1]] == [ROW_GROUP] * (len(lots) - 1)
    assert all(0 < lot.num_rows <= ROW_GROUP and lot["row"].num_chunks == 1 for lot in lots)
    assert [row for lot in lots for row in lot["row"].to_pylist()] == list(range(sum(sizes)))
