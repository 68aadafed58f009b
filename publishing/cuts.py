"""Which column sums of a table may be published beside its row sums, so that no sum about a few people follows.

What follows from row sums and some column sums is a sum over a *cut*: rows and columns are split in two (those without
a published sum are all on one side), and the cells between a row of one side and a column of the other are added. So
every cut must hold the work of enough people. Every row does by itself; that is the caller's part.

Two columns on different sides of a cut give a cell of one of them to it in each row in which both have somebody. If
however one chooses one of the two cells in each such row the chosen cells are the work of enough people, the two are
*bound*, and each cut between them is large enough. So columns may be published that are bound, directly or through
others, to a column that is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

People = frozenset[str]
Column = Mapping[Any, People]

# A search that takes longer decides that two columns are not bound.
_MOST_STEPS = 500


def publishable(
    columns: Mapping[str, Column], smallest: int, kept_back: Collection[str], is_rest_large: bool
) -> set[str]:
    """The columns whose sums may be published. A column has its people by row; a cell without people is no entry.

    Of each group of columns that are bound to each other one is kept back, one of `kept_back` where it has any. Where
    all are one group, nothing needs to be kept back if `is_rest_large`: the rows without a published sum have, as one
    row, nobody or enough people.
    """
    parent = {name: name for name in columns}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    largest_first = sorted(columns, key=lambda name: (-len(columns[name]), name))
    for one, other in combinations(largest_first, 2):
        if root(one) != root(other) and are_bound(columns[one], columns[other], smallest):
            parent[root(other)] = root(one)
    groups: dict[str, list[str]] = {}
    for name in largest_first:
        groups.setdefault(root(name), []).append(name)
    shown = set(columns) - set(kept_back)
    if len(groups) == 1 and is_rest_large and len(shown) == len(columns):
        return shown
    return shown - {group[0] for group in groups.values() if shown.issuperset(group)}


def are_bound(one: Column, other: Column, smallest: int) -> bool:
    """Whether the cells of each cut between two columns are the work of `smallest` people or more."""
    shared = [(one[row], other[row]) for row in one.keys() & other.keys()]
    shared.sort(key=lambda cells: -min(map(len, cells)))
    steps = 0

    def some_few_are_enough(chosen: People) -> bool:
        nonlocal steps
        steps += 1
        if steps > _MOST_STEPS:
            return True
        for cells in shared:
            if not any(cell <= chosen for cell in cells):
                return any(
                    len(together) < smallest and some_few_are_enough(together)
                    for together in (chosen | cell for cell in cells)
                )
        return True

    return not some_few_are_enough(frozenset())
