"""Sums over rows and columns, of which no combination may be about a few people: tried by linear algebra."""

from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.cuts import Column, are_bound, publishable

Table = dict[str, Column]


def revealing(table: Table, sums: list[set[tuple[str, int]]], smallest: int) -> set[str] | None:
    """People fewer than `smallest` of whose cells alone some combination of the sums is a figure; None without any."""
    cells = [(name, row) for name, column in table.items() for row in column]
    matrix = np.array([[cell in one for cell in cells] for one in sums], dtype=float)
    everybody = sorted({person for column in table.values() for people in column.values() for person in people})
    whole = np.linalg.matrix_rank(matrix)
    for few in combinations(everybody, min(smallest - 1, len(everybody))):
        others = [place for place, (name, row) in enumerate(cells) if not table[name][row] <= set(few)]
        if not others or np.linalg.matrix_rank(matrix[:, others]) < whole:
            return set(few)
    return None


def random_table(random: Random, smallest: int) -> tuple[Table, set[int]]:
    """A table whose rows have enough people, but for those whose own sum is not published."""
    names = [f"S{number}" for number in range(random.randint(1, 4))]
    people = [f"W{number}" for number in range(random.randint(smallest, 9))]
    table: dict[str, dict[int, frozenset[str]]] = {name: {} for name in names}
    unpublished = set()
    for row in range(random.randint(1, 7)):
        there = random.sample(people, random.randint(1, len(people)))
        for person in there:
            for name in random.sample(names, random.choice([1, 1, 1, min(2, len(names))])):
                table[name][row] = table[name].get(row, frozenset()) | {person}
        if len(there) < smallest:
            unpublished.add(row)
    return {name: column for name, column in table.items() if column}, unpublished


@settings(deadline=None, max_examples=300)
@given(seed=st.integers(0, 2**32 - 1), smallest=st.integers(2, 4))
def test_no_combination_of_row_and_column_sums_is_about_a_few_people(seed: int, smallest: int) -> None:
    random = Random(seed)
    table, unpublished = random_table(random, smallest)
    rest = {person for column in table.values() for row in unpublished for person in column.get(row, ())}
    is_rest_large = not rest or len(rest) >= smallest
    kept_back = {name for name in table if random.random() < 0.1}
    shown = publishable(table, smallest, kept_back, is_rest_large)
    assert not shown & kept_back

    everything = {(name, row) for name, column in table.items() for row in column}
    sums = [
        {cell for cell in everything if cell[1] == row}
        for row in {row for _, row in everything}
        if row not in unpublished
    ]
    sums += [{cell for cell in everything if cell[0] == name} for name in shown]
    if is_rest_large:
        sums.append(everything)
    if sums:
        assert revealing(table, sums, smallest) is None


def test_two_columns_are_bound_where_every_choice_of_one_cell_a_row_takes_enough_people() -> None:
    one = {row: frozenset({f"A{row}"}) for row in range(3)}
    other = {row: frozenset({f"B{row}"}) for row in range(3)}
    assert are_bound(one, other, 3)
    assert not are_bound(one, other, 4)
    # The same person in all rows of a column makes a cut with nobody else.
    assert not are_bound(dict.fromkeys(range(3), frozenset({"A"})), other, 2)


def test_a_column_that_shares_no_row_with_another_is_kept_back() -> None:
    people = [frozenset({f"W{number}"}) for number in range(9)]
    table = {
        "S1": {row: people[row] for row in range(3)},
        "S2": {row: people[row + 3] for row in range(3)},
        "S3": {9: people[8]},
    }
    assert publishable(table, 3, (), is_rest_large=True) == {"S2"}
    del table["S3"]
    assert publishable(table, 3, (), is_rest_large=True) == {"S1", "S2"}
    assert publishable(table, 3, (), is_rest_large=False) == {"S2"}


def test_a_search_that_takes_too_long_keeps_the_column_back() -> None:
    one, other = ({row: frozenset({f"{name}{row}"}) for row in range(60)} for name in "AB")
    assert not are_bound(one, other, 40)
