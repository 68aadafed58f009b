from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from publishing.file_cuts import partitions

DAYS = st.dictionaries(st.dates(date(2023, 11, 1), date(2025, 2, 28)), st.integers(1, 9), min_size=1)


def test_years_are_cut_into_months_and_months_into_days_where_they_are_large() -> None:
    rows = {date(2024, 5, 1): 3, date(2025, 1, 31): 4, date(2025, 2, 1): 4, date(2025, 2, 2): 7}
    assert [part.file for part in partitions(rows, 10)] == [
        "2024.parquet",
        "2025-01.parquet",
        "2025-02-01.parquet",
        "2025-02-02.parquet",
    ]


@given(rows=DAYS, largest=st.integers(1, 60))
def test_every_day_is_in_exactly_one_file_that_is_small_or_one_day(rows: dict[date, int], largest: int) -> None:
    parts = partitions(rows, largest)
    for day in rows:
        assert sum(part.first <= day <= part.last for part in parts) == 1
    for part in parts:
        held = sum(count for day, count in rows.items() if part.first <= day <= part.last)
        assert held <= largest or part.first == part.last
    for before, after in pairwise(parts):
        assert before.last < after.first


@given(rows=DAYS, largest=st.integers(1, 60))
def test_a_new_day_changes_no_file_of_another_year_or_of_a_month_that_is_cut_already(
    rows: dict[date, int], largest: int
) -> None:
    new_day = max(rows) + timedelta(days=1)
    before, after = partitions(rows, largest), partitions({**rows, new_day: 1}, largest)
    of_other_years = {part for part in before if part.first.year != new_day.year}
    assert of_other_years <= set(after)
