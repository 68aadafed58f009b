"""The true output of the stations and the instants of their counts. `cameras` derives the reported counts."""

from dataclasses import dataclass

import numpy as np

from simulator.draws import Integers, ranks
from simulator.fleet import Site
from simulator.rows import concatenated, take
from simulator.timeline import WORKING, Segments

# One finished unit, in milliseconds * units per hour * percent of pace. Whole numbers can be added without rounding.
UNIT = 3_600_000 * 100


@dataclass(frozen=True)
class Counts:
    """One row per report of finished units. `segment` is the position of the segment in which they were finished."""

    segment: Integers
    at_ms: Integers
    units: Integers


def true_counts(site: Site, segments: Segments) -> Counts:
    """Count full batches, and the remaining units when a worker leaves a station. Fractions of a unit are dropped."""
    if not len(segments.worker):
        return Counts(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    rate = np.array([station.units_per_hour for station in site.stations], dtype=np.int64)[segments.station]
    pace = np.array([worker.pace for worker in site.workers], dtype=np.int64)[segments.worker]
    batch = np.array([station.batch for station in site.stations], dtype=np.int64)[segments.station]
    working = segments.state == WORKING
    made = np.where(working, (segments.ended_ms - segments.started_ms) * rate * pace, 0)

    changed = (np.diff(segments.presence) != 0) | (np.diff(segments.station) != 0)
    firsts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    sizes = np.diff(np.append(firsts, len(made))).astype(np.int64)
    after = np.cumsum(made)
    after -= np.repeat((after - made)[firsts], sizes)  # counted from the worker's arrival at the station
    before = after - made

    full = batch * UNIT
    batches = np.asarray(after // full - before // full, dtype=np.int64)
    segment = np.repeat(np.arange(len(made)), batches)
    threshold = (before[segment] // full[segment] + 1 + ranks(batches)) * full[segment]
    speed = (rate * pace)[segment]
    in_time = Counts(
        segment=segment,
        at_ms=segments.started_ms[segment] + (threshold - before[segment] - 1) // speed,
        units=batch[segment],
    )
    last_work = np.maximum.reduceat(np.where(working, np.arange(len(made)), -1), firsts)
    last_work = last_work[last_work >= 0]
    left = (after % full)[last_work] // UNIT
    at_leaving = take(Counts(segment=last_work, at_ms=segments.ended_ms[last_work] - 1, units=left), left > 0)
    counts = concatenated([in_time, at_leaving])
    return take(counts, np.lexsort((counts.at_ms, counts.segment)))
