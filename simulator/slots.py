"""Plans the objects of one site: which ones exist, and their names, kinds and first arrivals.

A camera writes one object per slot (an hour or a part of it). `delivery` assigns the records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from simulator.arguments import Arguments
from simulator.draws import Flags, Integers, between, chance
from simulator.episodes import Episodes
from simulator.fleet import Site
from simulator.objects import ARRAY, GZIP, LINES, ZSTD
from simulator.rows import take

SECOND_MS, HOUR_MS = 1000, 3_600_000
LATE_OBJECT = 0.03
KIND_BOUNDS, KINDS = (0.05, 0.15, 0.19), np.array([ARRAY, GZIP, ZSTD, LINES])


@dataclass(frozen=True)
class Grid:
    """The slots of one site's cameras, with flags of the shape (cameras, slots).

    One more column, `backlog`, is for the object after an outage.
    """

    begins_ms: int
    slot_ms: int
    slots: int
    held: Flags  # disconnected from the bucket; its records arrive as one backlog object after the outage
    dark: Flags  # off: sees and sends nothing
    outage_ends_ms: int

    @property
    def backlog(self) -> int:
        """The column of the object that a camera sends after an outage."""
        return self.slots

    def cells(self, camera: Integers, slot: Integers) -> Integers:
        """The number of a camera's cell in a column: one number for each camera and column."""
        return camera * (self.slots + 1) + slot


@dataclass(frozen=True)
class Objects:
    """One row per object, in the order of first arrival. `cell` is the number from `Grid.cells`."""

    cell: Integers
    camera: Integers
    slot: Integers
    records: Integers
    kind: Integers
    is_backlog: Flags
    is_late: Flags
    arrives_ms: Integers


def plan_grid(site: Site, episodes: Episodes, arguments: Arguments) -> Grid:
    """Mark the slots that outages and silent cameras cover."""
    slots = (arguments.ends_ms - arguments.begins_ms) // arguments.slot_ms

    def covered(kind: str) -> Flags:
        flags = np.zeros((len(site.cameras), slots), dtype=np.bool_)
        for episode in episodes.at(site, kind):
            first = -((arguments.begins_ms - episode.started_ms) // arguments.slot_ms)
            end = (episode.ended_ms - arguments.begins_ms) // arguments.slot_ms
            flags[slice(None) if episode.camera is None else episode.camera, first:end] = True
        return flags

    outage_ends_ms = max((episode.ended_ms for episode in episodes.at(site, "outage")), default=0)
    return Grid(
        arguments.begins_ms, arguments.slot_ms, slots, covered("outage"), covered("silent_camera"), outage_ends_ms
    )


def plan_objects(grid: Grid, records_per_cell: Integers, rng: np.random.Generator) -> Objects:
    """Every object that is sent.

    A camera that sees nobody sends an empty object. A dead camera sends none.
    """
    cameras = len(grid.held)
    expected = np.column_stack([~grid.held & ~grid.dark, np.zeros(cameras, dtype=np.bool_)]).ravel()
    cell = np.flatnonzero(expected | (records_per_cell > 0)).astype(np.int64)
    slot, records = cell % (grid.slots + 1), records_per_cell[cell]
    is_backlog: Flags = slot == grid.backlog
    is_late: Flags = chance(rng, LATE_OBJECT, len(cell)) & ~is_backlog
    written_ms = np.where(is_backlog, grid.outage_ends_ms, grid.begins_ms + (slot + 1) * grid.slot_ms)
    late_ms = np.where(is_late, between(rng, 1, 30, len(cell)) * HOUR_MS, 0)
    kind = KINDS[np.searchsorted(KIND_BOUNDS, rng.random(len(cell)), side="right")]
    objects = Objects(
        cell=cell,
        camera=cell // (grid.slots + 1),
        slot=slot,
        records=records,
        kind=np.where(is_backlog, ZSTD, np.where(records == 0, LINES, kind)),
        is_backlog=is_backlog,
        is_late=is_late,
        arrives_ms=written_ms + late_ms + between(rng, 5, 90, len(cell)) * SECOND_MS,
    )
    return take(objects, np.argsort(objects.arrives_ms, kind="stable"))


def keys(site: Site, grid: Grid, objects: Objects) -> Sequence[str]:
    """The objects' keys without suffix, such as `events/site_id=…/camera_id=…/2026-10-19/T08`.

    They contain minutes only if an hour has several objects.
    """
    stamp = "%Y-%m-%d/T%H" if grid.slot_ms == HOUR_MS else "%Y-%m-%d/T%H%M"
    names = [_utc(grid.begins_ms + slot * grid.slot_ms).strftime(stamp) for slot in range(grid.slots)]
    names.append(_utc(grid.outage_ends_ms).strftime("%Y-%m-%d/backlog-T%H%M"))
    folders = [f"events/site_id={site.site_id}/camera_id={camera.camera_id}/" for camera in site.cameras]
    places = zip(objects.camera.tolist(), objects.slot.tolist(), strict=True)
    return [folders[camera] + names[slot] for camera, slot in places]


def _utc(instant_ms: int) -> datetime:
    return datetime.fromtimestamp(instant_ms / 1000, UTC)
