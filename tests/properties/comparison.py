"""Compares published rows with rows of the reference: value for value, type for type, doubles to twelve digits."""

import math
from collections.abc import Iterable
from typing import Any

from tests.reference.marts import KEYS

Row = dict[str, Any]
SHOWN_AT_MOST = 10


def mart_differences(mart: str, published: Iterable[Row], reference: Iterable[Row]) -> list[str]:
    """The differences, one sentence for each row, limited to a readable number."""
    key_names = KEYS[mart]
    ours = {tuple(row[name] for name in key_names): row for row in reference}
    theirs: dict[tuple[Any, ...], Row] = {}
    found = []
    for row in published:
        key = tuple(row[name] for name in key_names)
        if key in theirs:
            found.append(f"{mart}: two rows have the key {key}")
        theirs[key] = row
    found += [f"{mart}: no row {key}, the reference has {ours[key]}" for key in ours.keys() - theirs.keys()]
    found += [f"{mart}: the reference has no row {theirs[key]}" for key in theirs.keys() - ours.keys()]
    for key in ours.keys() & theirs.keys():
        if list(ours[key]) != list(theirs[key]):
            found.append(f"{mart}: columns {list(theirs[key])}, the reference has {list(ours[key])}")
            break
        different = [name for name in ours[key] if not equal(theirs[key][name], ours[key][name])]
        if different:
            found.append(
                f"{mart} {key}: " + "; ".join(f"{n} {theirs[key][n]!r} != {ours[key][n]!r}" for n in different)
            )
    return found[:SHOWN_AT_MOST]


def equal(published: Any, reference: Any) -> bool:
    if type(published) is not type(reference):
        return False
    if isinstance(published, float):
        # A mean is exact to 2**-64 of one, so for such small ratios the last digits have no meaning.
        return math.isclose(published, reference, rel_tol=1e-12, abs_tol=1e-18)
    return bool(published == reference)


def bits(rows: Iterable[Row]) -> list[str]:
    """Rows as texts that differ when a double differs in its last bit."""
    return sorted(repr({name: v.hex() if isinstance(v, float) else v for name, v in row.items()}) for row in rows)
