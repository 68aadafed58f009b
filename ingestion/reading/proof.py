"""Proof that a record's columns tell all that stands in it, by counting bytes at the speed of memory.

DuckDB reads JSON a little too kindly: it passes over unknown and repeated members, takes a number or a list for a text,
and forgives a comma too many. Each of these shows in the bytes. Let a record have `members` columns that are not null,
`texts` of them texts, and hold no backslash and no bracket. Then

- there is at least one comma between each two members. A member that is unknown, repeated or null, a comma too many,
  and a comma within a text or a list all add to them: with `members - 1` commas there is none of these.
- then its only names are those of its columns, with two quotes each; a text has two, anything else but an object has
  none: with `2 * (members + texts)` quotes and one brace, whatever was read as a text is one.

The counts can only be exceeded (commas, braces) or, where these hold, only be missed (quotes), so that the sums over
many records hold only where they hold for each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ingestion.records.slices import Slice

_BLOCK_RECORDS = 1000  # small enough for the processor's cache, large enough for numpy
_COMMA, _QUOTE, _BRACE, _BRACKET, _BACKSLASH = b',"{[\\'

Flags = npt.NDArray[np.bool_]


def unproved(records: Slice, members: npt.NDArray[np.int8], texts: npt.NDArray[np.int8], plain: Flags) -> list[int]:
    """The places of `plain` records in which something stands that their columns do not tell.

    `members` and `texts` are per record; those of records that are not plain are not looked at.
    """
    expected = {
        _COMMA: members - 1,
        _QUOTE: 2 * (members + texts),
        _BRACE: np.ones_like(members),
        # Looked for first, which is ten times faster than counting: most texts have none.
        **{mark: np.zeros_like(members) for mark in (_BRACKET, _BACKSLASH) if bytes([mark]) in records.text},
    }
    codes = np.frombuffer(records.text, np.uint8)
    found: list[int] = []
    for first in range(0, len(records), _BLOCK_RECORDS):
        last = min(first + _BLOCK_RECORDS, len(records))
        block = codes[records.bounds[first] : records.bounds[last]]
        others = [records.raw(place) for place in (first + np.flatnonzero(~plain[first:last])).tolist()]
        if all(
            np.count_nonzero(block == mark) - sum(raw.count(mark) for raw in others)
            == each[first:last].sum(where=plain[first:last], dtype=np.int64)
            for mark, each in expected.items()
        ):
            continue
        starts = records.bounds[first:last] - records.bounds[first]
        holds = np.ones(last - first, np.bool_)
        for mark, each in expected.items():
            holds &= np.add.reduceat(block == mark, starts, dtype=np.int64) == each[first:last]
        found += (first + np.flatnonzero(plain[first:last] & ~holds)).tolist()
    return found
