"""Groups evidence: many cameras of one model version that change on the same day are one incident."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

SMALLEST_CAMERAS = 3
SMALLEST_PART = 0.5


def group_evidence(evidence: Flags, judged: Flags, groups: Ints) -> tuple[Flags, Flags, Flags]:
    """Split evidence into evidence of single cells and of groups.

    `evidence` and `judged` have the shape (cells, days), `groups` numbers the cell's model version on each day (-1 for
    none). A group has evidence if at least three and at least half of its judged cells have evidence. The evidence of
    these cells then counts for the group only. Returns the cells' own evidence (cells, days), the groups' evidence and
    the groups' judged days (groups, days).
    """
    count = int(groups.max(initial=-1)) + 1
    days = evidence.shape[1]
    alarmed, seen = np.zeros((count, days), dtype=np.int64), np.zeros((count, days), dtype=np.int64)
    rows, columns = np.nonzero(judged & (groups >= 0))
    np.add.at(seen, (groups[rows, columns], columns), 1)
    np.add.at(alarmed, (groups[rows, columns], columns), evidence[rows, columns])
    of_group = (alarmed >= SMALLEST_CAMERAS) & (alarmed >= SMALLEST_PART * seen)
    covered = np.zeros(evidence.shape, dtype=bool)
    covered[rows, columns] = of_group[groups[rows, columns], columns]
    return evidence & ~covered, of_group, seen >= SMALLEST_CAMERAS
