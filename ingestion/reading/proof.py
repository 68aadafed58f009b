"""Proves, by counting bytes, that a record's parsed columns account for everything in it.

DuckDB's JSON parser is too lenient: it skips unknown and repeated members, accepts a number or a list as a text, and
ignores an extra comma. Each of these shows in the bytes. Let a record have `members` columns that are not null, `texts`
of them texts, and contain no backslash and no bracket. Then

- there is at least one comma between each two members. An unknown, repeated or null member, an extra comma, and a comma
  within a text or a list all add commas. With exactly `members - 1` commas the record has none of these.
- then its only names are those of its columns, with two quotes each. A text has two quotes; any other value except an
  object has none. With `2 * (members + texts)` quotes and one brace, every value that was read as a text is one.

A violation can only raise the number of commas and braces and, if these are right, only lower the number of quotes.
Sums over many records are therefore right only if they are right for each record.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ingestion.records.slices import Slice

BLOCK_RECORDS = 1000  # small enough for the processor's cache, large enough for numpy
_COMMA, _QUOTE, _BRACE, _BRACKET, _BACKSLASH = b',"{[\\'

Flags = npt.NDArray[np.bool_]


def unproved(records: Slice, members: npt.NDArray[np.int8], texts: npt.NDArray[np.int8], plain: Flags) -> list[int]:
    """The places of `plain` records that contain something their columns do not account for.

    `members` and `texts` are per record; their values for records that are not plain are ignored.
    """
    expected = {
        _COMMA: members - 1,
        _QUOTE: 2 * (members + texts),
        _BRACE: np.ones_like(members),
        # Searching first is ten times faster than counting: most texts have none.
        **{mark: np.zeros_like(members) for mark in (_BRACKET, _BACKSLASH) if bytes([mark]) in records.text},
    }
    codes = np.frombuffer(records.text, np.uint8)
    found: list[int] = []
    for first in range(0, len(records), BLOCK_RECORDS):
        last = min(first + BLOCK_RECORDS, len(records))
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
