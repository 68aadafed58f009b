"""The true timeline: when each worker was on site, at which station and in which state.

It is exact to the millisecond, and published figures are compared with it. Cameras are not involved.
"""

from dataclasses import dataclass

import numpy as np

from simulator.draws import Integers, between, chance, durations, ranks
from simulator.fleet import Site
from simulator.rows import concatenated, take
from simulator.windows import Windows

MINUTE_MS = 60_000
WORKING, IDLE, ABSENT = range(3)

NO_SHOW, LATE, OVERTIME = 0.02, 0.12, 0.04
MAX_OVERTIME_MS = 40 * MINUTE_MS
WORK_MEAN_MS, IDLE_MEAN_MS, ABSENT_MEAN_MS = 480_000, 85_000, 100_000
SHORTEST_STATE_MS = 15_000
SHORT_ABSENCE = 0.08  # share of pauses in which the worker leaves the station
MOVES, MOVE = 3, 0.6  # how often a worker can change stations in a shift, and the probability of each change
BREAKS = ((0.25, 10), (0.55, 30), (0.80, 10))  # start within the shift and length, minutes
LONG_SHIFT_MS = 9 * 60 * MINUTE_MS  # only longer shifts have the third break
PRESENCES_AT_ONCE = 2048  # bounds the memory of the two-dimensional draws


@dataclass(frozen=True)
class Presences:
    """One row per worker and shift worked: the time on site in ms since 1970, and the worker's first station."""

    worker: Integers
    started_ms: Integers
    ended_ms: Integers
    home: Integers


@dataclass(frozen=True)
class Segments:
    """The true timeline of one site, ordered by presence and time. A presence's segments have no gaps."""

    presence: Integers
    worker: Integers
    station: Integers
    state: Integers
    started_ms: Integers
    ended_ms: Integers


def presences(site: Site, windows: Windows, begins_ms: int, ends_ms: int, rng: np.random.Generator) -> Presences:
    """Draw which worker works which shift. Only windows entirely within the simulated period are worked."""
    crew = np.array([worker.crew for worker in site.workers])
    rest = np.array([worker.rest_weekday for worker in site.workers])
    whole = (windows.started_ms >= begins_ms) & (windows.ended_ms + MAX_OVERTIME_MS + MINUTE_MS <= ends_ms)
    weekday = windows.shift_date.astype(np.int64) % 7
    rostered = (windows.shift[:, None] == crew) & (weekday[:, None] != rest) & whole[:, None]
    window, worker = np.nonzero(rostered & ~chance(rng, NO_SHOW, rostered.shape))
    count = len(window)
    delay_ms = between(rng, 5, 45, count) * MINUTE_MS
    late_ms = np.where(chance(rng, LATE, count), delay_ms, between(rng, 0, 180_000, count))
    overtime_ms = between(rng, 10 * MINUTE_MS, MAX_OVERTIME_MS, count)
    leaves_ms = np.where(chance(rng, OVERTIME, count), overtime_ms, -between(rng, 0, 120_000, count))
    place_in_crew = ranks(np.bincount(window, minlength=len(whole)).astype(np.int64))
    return Presences(
        worker=worker.astype(np.int64),
        started_ms=windows.started_ms[window] + late_ms,
        ended_ms=windows.ended_ms[window] + leaves_ms,
        home=(place_in_crew + window) % len(site.stations),
    )


def true_timeline(site: Site, present: Presences, rng: np.random.Generator) -> Segments:
    """The states of every present worker, from arrival to departure."""
    starts = range(0, max(1, len(present.worker)), PRESENCES_AT_ONCE)
    parts = [_segments(site, take(present, slice(at, at + PRESENCES_AT_ONCE)), at, rng) for at in starts]
    return concatenated(parts)


def _segments(site: Site, present: Presences, first: int, rng: np.random.Generator) -> Segments:
    """Draw work and pauses on a clock that stops during breaks, then insert the breaks."""
    count = len(present.worker)
    on_site = present.ended_ms - present.started_ms
    breaks = np.array([minutes for _, minutes in BREAKS]) * MINUTE_MS * np.ones((count, 1), dtype=np.int64)
    breaks[on_site < LONG_SHIFT_MS, 2] = 0
    closing = between(rng, 60_000, 150_000, count)  # walking out, absent from the station
    span = on_site - breaks.sum(axis=1) - closing
    focus = np.array([worker.focus for worker in site.workers], dtype=np.int64)[present.worker]

    start, length, state = _work_and_pauses(span, focus, rng)
    live = start < span[:, None]
    end = np.minimum(start + length, span[:, None])
    jitter = between(rng, -40, 40, (count, len(BREAKS)))
    points = span[:, None] * (np.array([int(place * 1000) for place, _ in BREAKS]) + jitter) // 1000
    station = _stations(start, span, present.home, len(site.stations), rng)

    # A break begins at the first change of state after its point, so no state is cut in two.
    pause_before = sum(np.where(start >= points[:, [b]], breaks[:, [b]], 0) for b in range(len(BREAKS)))
    rows = np.nonzero(live)[0]
    parts = [_part(rows, station[live], state[live], (start + pause_before)[live], (end + pause_before)[live])]
    taken = np.zeros(count, dtype=np.int64)
    for number in range(len(BREAKS)):
        passed = live & (start >= points[:, [number]])
        has = np.flatnonzero(passed.any(axis=1) & (breaks[:, number] > 0))
        at = passed[has].argmax(axis=1)
        begins = start[has, at] + taken[has]
        parts.append(_part(has, station[has, at - 1], ABSENT, begins, begins + breaks[has, number]))
        taken[has] += breaks[has, number]
    last = live.sum(axis=1) - 1
    out = span + taken
    parts.append(_part(np.arange(count), station[np.arange(count), last], ABSENT, out, out + closing))

    merged = concatenated(parts)
    merged = take(merged, np.argsort((merged.presence << 34) + merged.started_ms, kind="stable"))
    arrival = present.started_ms[merged.presence]
    return Segments(
        presence=merged.presence + first,
        worker=present.worker[merged.presence],
        station=merged.station,
        state=merged.state,
        started_ms=merged.started_ms + arrival,
        ended_ms=merged.ended_ms + arrival,
    )


def _part(presence: Integers, station: Integers, state: Integers | int, start: Integers, end: Integers) -> Segments:
    """Segments with times since the worker's arrival. `worker` is a placeholder until all parts are combined."""
    return Segments(presence, presence, station, np.broadcast_to(np.int64(state), start.shape), start, end)


def _work_and_pauses(span: Integers, focus: Integers, rng: np.random.Generator) -> tuple[Integers, Integers, Integers]:
    """Start, length and state, shape (presences, steps). Work and pauses alternate, beginning with work."""
    count = len(span)
    shortest_cycle = WORK_MEAN_MS * 70 // 100 + IDLE_MEAN_MS
    cycles = int(span.max(initial=1)) * 5 // (shortest_cycle * 4) + 12
    pause_state = np.where(chance(rng, SHORT_ABSENCE, (count, cycles)), ABSENT, IDLE)
    mean = np.where(pause_state == ABSENT, ABSENT_MEAN_MS, IDLE_MEAN_MS)
    length = np.empty((count, 2 * cycles), dtype=np.int64)
    length[:, 0::2] = durations(rng, WORK_MEAN_MS * focus[:, None] // 100, (count, cycles))
    length[:, 1::2] = durations(rng, mean, (count, cycles))
    np.maximum(length, SHORTEST_STATE_MS, out=length)
    state = np.full(length.shape, WORKING, dtype=np.int64)
    state[:, 1::2] = pause_state
    return np.cumsum(length, axis=1) - length, length, state


def _stations(start: Integers, span: Integers, home: Integers, stations: int, rng: np.random.Generator) -> Integers:
    """The station, shape (presences, steps): the home station, then up to `MOVES` changes, each at a state change."""
    count = len(span)
    at = np.sort(span[:, None] * between(rng, 50, 950, (count, MOVES)) // 1000, axis=1)
    moved = chance(rng, MOVE, (count, MOVES)) & (stations > 1)
    step = np.where(moved, between(rng, 1, max(1, stations - 1), (count, MOVES)), 0)
    walked = sum(np.where(start >= at[:, [move]], step[:, [move]], 0) for move in range(MOVES))
    return np.asarray((home[:, None] + walked) % stations, dtype=np.int64)
