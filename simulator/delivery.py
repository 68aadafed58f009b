"""Plans the delivery from camera to bucket: the object of each record, retries, and broken objects.

`sending` encodes and writes the objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingestion.contract.events import REASONS
from simulator.arguments import Arguments
from simulator.cameras import Detections
from simulator.draws import Flags, Integers, between, chance
from simulator.episodes import Episodes
from simulator.fleet import Site
from simulator.objects import ARRAY, GZIP
from simulator.rows import take
from simulator.slots import SECOND_MS, Grid, Objects, keys, plan_grid, plan_objects

SENT_TWICE = 0.002  # of the records
STRAGGLER = 0.004  # share of records held back in the camera and sent with a later object
RETRIED_OBJECT = 0.015
SHUFFLE_MS = 20 * SECOND_MS  # how far records can be out of order within an object
MALFORMED_ONE_IN, MALFORMED_AT_LEAST, MALFORMED_AT_MOST_ONE_IN = 1000, 6 * len(REASONS), 20
TRUNCATED_NEEDS = 5  # records, so that half an object is still worth rejecting


@dataclass(frozen=True)
class Delivery:
    """The objects of one site and their arrivals. Objects are numbered in order of their first arrival.

    Object `n` contains `rows[row_ends[n - 1]:row_ends[n]]`. `arrivals` are object numbers. `bad_rows` are spoiled for
    the reasons at the positions `bad_reasons` in `REASONS`.
    """

    rows: Detections
    row_ends: Integers
    cameras: Integers
    kinds: Integers
    keys: Sequence[str]  # without suffix
    retried: Flags
    bad_rows: Integers
    bad_reasons: Integers
    arrivals: Integers
    arrives_ms: Integers
    causes: Sequence[str]  # per arrival: hourly, late, backlog, retry, truncated (cut in half, retried in full)


def plan_delivery(
    site: Site, seen: Detections, episodes: Episodes, arguments: Arguments, rng: np.random.Generator
) -> Delivery:
    """Spread the records over objects and the objects over time."""
    grid = plan_grid(site, episodes, arguments)
    seen = take(seen, np.repeat(np.arange(len(seen.camera)), 1 + chance(rng, SENT_TWICE, len(seen.camera))))
    cell = _cells(grid, seen, rng)
    objects = plan_objects(grid, np.bincount(cell, minlength=grid.held.size + len(grid.held)), rng)

    number_of_cell = np.zeros(grid.held.size + len(grid.held), dtype=np.int64)
    number_of_cell[objects.cell] = np.arange(len(objects.cell))
    number = number_of_cell[cell]
    by_arrival = np.lexsort((seen.at_ms + between(rng, 0, SHUFFLE_MS, len(cell)), number))
    rows, number = take(seen, by_arrival), number[by_arrival]

    bad_rows, bad_reasons = _spoiled(objects.kind[number], rng)
    cuttable = np.flatnonzero((objects.kind == GZIP) & (objects.records >= TRUNCATED_NEEDS))[:1]
    retried = chance(rng, RETRIED_OBJECT, len(objects.cell)) & (objects.records > 0)
    retried[cuttable] = True
    arrivals, arrives_ms, causes = _arrivals(objects, retried, cuttable, rng)
    return Delivery(
        rows=rows,
        row_ends=np.cumsum(objects.records),
        cameras=objects.camera,
        kinds=objects.kind,
        keys=keys(site, grid, objects),
        retried=retried,
        bad_rows=bad_rows,
        bad_reasons=bad_reasons,
        arrivals=arrivals,
        arrives_ms=arrives_ms,
        causes=causes,
    )


def _cells(grid: Grid, seen: Detections, rng: np.random.Generator) -> Integers:
    """The object of every record: of its own slot, of a later slot, or the backlog object."""
    written = (seen.at_ms - grid.begins_ms) // grid.slot_ms
    behind = np.where(chance(rng, STRAGGLER, len(written)), between(rng, 1, 3, len(written)), 0)
    sent = np.minimum(written + behind, grid.slots - 1)
    sent = np.where(grid.dark[seen.camera, sent], written, sent)
    return grid.cells(seen.camera, np.where(grid.held[seen.camera, sent], grid.backlog, sent))


def _arrivals(
    objects: Objects, retried: Flags, truncated: Integers, rng: np.random.Generator
) -> tuple[Integers, Integers, Sequence[str]]:
    """Object number, instant and cause of every arrival, in order. A retry arrives 1 to 60 minutes after the first."""
    again = np.flatnonzero(retried)
    causes = np.full(len(retried) + len(again), "hourly", dtype="U9")
    causes[np.flatnonzero(objects.is_late)] = "late"
    causes[np.flatnonzero(objects.is_backlog)] = "backlog"
    causes[truncated] = "truncated"
    causes[len(retried) :] = "retry"
    numbers = np.concatenate([np.arange(len(retried)), again])
    delay_ms = between(rng, 60, 3600, len(again)) * SECOND_MS
    arrives_ms = np.concatenate([objects.arrives_ms, objects.arrives_ms[again] + delay_ms])
    order = np.argsort(arrives_ms, kind="stable")
    return numbers[order], arrives_ms[order], causes[order].tolist()


def _spoiled(kind_of_row: Integers, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """The rows to spoil, in order, and the reason of each. With about 600 records or more, every reason occurs."""
    count = len(kind_of_row)
    wanted = min(count // MALFORMED_AT_MOST_ONE_IN, max(MALFORMED_AT_LEAST, count // MALFORMED_ONE_IN))
    rows = np.unique(between(rng, 0, max(0, count - 1), wanted))
    # Broken JSON within an array would spoil the whole object, so records of arrays get the other reasons.
    in_array = kind_of_row[rows] == ARRAY
    reasons = np.empty(len(rows), dtype=np.int64)
    reasons[~in_array] = np.arange((~in_array).sum()) % len(REASONS)
    reasons[in_array] = 1 + np.arange(in_array.sum()) % (len(REASONS) - 1)
    return rows, reasons
