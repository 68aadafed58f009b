"""Simulates what the cameras detect of the true timeline, with confidence. `delivery` brings it to the bucket."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingestion.contract import events as contract
from ingestion.contract.events import EVENT_TYPES
from simulator.draws import Flags, Integers, between, chance, ranks
from simulator.episodes import VERSIONS, Episodes, releases
from simulator.fleet import Site
from simulator.production import Counts
from simulator.rows import concatenated, take
from simulator.timeline import ABSENT, IDLE, WORKING, Segments

PRODUCT_COUNT = EVENT_TYPES.index(contract.PRODUCT_COUNT)

REPEAT_MS = np.array([150_000, 240_000, 360_000])  # the interval at which a camera repeats a lasting state, by state
LATENCY_MS = (200, 1800)
GHOST = 0.0005  # share of detections that are followed by the count of a product that was never made
SHAKY_CONFIDENCE = (120, 380)  # the additional loss of confidence of a false detection, in thousandths
BEST_CONFIDENCE, LEAST_CONFIDENCE = 995, 50


@dataclass(frozen=True)
class Detections:
    """One row per record that a camera writes. Cameras, workers and stations are positions in the site's lists.

    `confidence` is in thousandths, `version` is a position in `VERSIONS`.
    """

    camera: Integers
    worker: Integers
    station: Integers
    event_type: Integers
    at_ms: Integers
    units: Integers
    confidence: Integers
    version: Integers


@dataclass(frozen=True)
class _Sightings:
    """The records of a perfect camera."""

    worker: Integers
    station: Integers
    event_type: Integers
    at_ms: Integers
    units: Integers


def detect(site: Site, segments: Segments, counts: Counts, episodes: Episodes, rng: np.random.Generator) -> Detections:
    """Every record that the site's cameras write, with the faults of their models and clocks, and silent periods."""
    seen = _sightings(segments, counts, rng)
    first_camera = np.array([station.camera for station in site.stations])[seen.station]
    second_camera = np.array([station.second_camera for station in site.stations])[seen.station]
    both = np.flatnonzero(second_camera >= 0)
    row = np.concatenate([np.arange(len(seen.station)), both])
    camera = np.concatenate([first_camera, second_camera[both]])

    # Two cameras on one scene are triggered by the clock of the first one, so their records have the same instant.
    at_ms = seen.at_ms + clock_offsets(site, first_camera, seen.at_ms, episodes)
    version = _versions(site, at_ms, episodes)[row]
    kept = ~chance(rng, np.array([v.missed for v in VERSIONS])[version], len(row))
    kept &= ~_silent(site, camera, seen.at_ms[row], episodes)
    row, camera, version = row[kept], camera[kept], version[kept]
    in_time = (at_ms[row] >= episodes.begins_ms) & (at_ms[row] < episodes.ends_ms)
    row, camera, version = row[in_time], camera[in_time], version[in_time]

    confused = chance(rng, np.array([v.confused for v in VERSIONS])[version], len(row))
    event_type, units = _confuse(seen.event_type[row], seen.units[row], confused, rng)
    detections = Detections(
        camera=camera,
        worker=seen.worker[row],
        station=seen.station[row],
        event_type=event_type,
        at_ms=at_ms[row],
        units=units,
        confidence=_confidence(version, confused, rng),
        version=version,
    )
    return concatenated([detections, _ghosts(detections, episodes.ends_ms, rng)])


def _sightings(segments: Segments, counts: Counts, rng: np.random.Generator) -> _Sightings:
    """Every state shortly after it began, repeated while it lasts, and every count."""
    latency = between(rng, *LATENCY_MS, len(segments.worker))
    repeat_ms = REPEAT_MS[segments.state]
    noticed_ms = segments.ended_ms - segments.started_ms - latency
    times = np.where(noticed_ms > 0, (noticed_ms - 1) // repeat_ms + 1, 0)  # a very short state ends before it is seen
    segment = np.repeat(np.arange(len(times)), times)
    at_ms = segments.started_ms[segment] + latency[segment] + ranks(times) * repeat_ms[segment]
    row = np.concatenate([segment, counts.segment])
    return _Sightings(
        worker=segments.worker[row],
        station=segments.station[row],
        event_type=np.concatenate([segments.state[segment], np.full(len(counts.units), PRODUCT_COUNT)]),
        at_ms=np.concatenate([at_ms, counts.at_ms]),
        units=np.concatenate([np.zeros(len(segment), dtype=np.int64), counts.units]),
    )


def clock_offsets(site: Site, camera: Integers, at_ms: Integers, episodes: Episodes) -> Integers:
    """How far each camera's clock was ahead at these true instants, in milliseconds."""
    offsets = np.array([one.clock_offset_ms for one in site.cameras], dtype=np.int64)[camera]
    for wrong in episodes.at(site, "wrong_clock"):
        hit = (camera == wrong.camera) & (at_ms >= wrong.started_ms) & (at_ms < wrong.ended_ms)
        offsets = np.where(hit, wrong.clock_offset_ms, offsets)
    return offsets


def _versions(site: Site, at_ms: Integers, episodes: Episodes) -> Integers:
    plan = releases(site, episodes)
    running = np.searchsorted(np.array([from_ms for from_ms, _ in plan]), at_ms, side="right") - 1
    return np.array([version for _, version in plan], dtype=np.int64)[running]


def _silent(site: Site, camera: Integers, at_ms: Integers, episodes: Episodes) -> Flags:
    silent = np.zeros(len(camera), dtype=np.bool_)
    for gap in episodes.at(site, "silent_camera"):
        silent |= (camera == gap.camera) & (at_ms >= gap.started_ms) & (at_ms < gap.ended_ms)
    return silent


def _confuse(
    event_type: Integers, units: Integers, confused: Flags, rng: np.random.Generator
) -> tuple[Integers, Integers]:
    """A confused camera swaps working and idle, reports idle for absent, or counts one too many or too few."""
    mistaken = np.empty(len(EVENT_TYPES), dtype=np.int64)
    mistaken[[WORKING, IDLE, ABSENT, PRODUCT_COUNT]] = IDLE, WORKING, IDLE, PRODUCT_COUNT
    one_off = np.where(chance(rng, 0.5, len(units)), 1, -1)
    counted = confused & (event_type == PRODUCT_COUNT)
    return np.where(confused, mistaken[event_type], event_type), np.where(counted, units + one_off, units)


def _confidence(version: Integers, shaky: Flags, rng: np.random.Generator) -> Integers:
    """Draw confidences with a skewed distribution: most are high, a few are low. The mean loss is the version's."""
    loss = np.array([v.confidence_loss for v in VERSIONS], dtype=np.float64)[version]
    lost: npt.NDArray[np.float64] = 4 * loss * rng.random(len(version)) * rng.random(len(version))
    confidence = BEST_CONFIDENCE - lost.astype(np.int64)
    confidence -= np.where(shaky, between(rng, *SHAKY_CONFIDENCE, len(version)), 0)
    return np.maximum(confidence, LEAST_CONFIDENCE)


def _ghosts(detections: Detections, ends_ms: int, rng: np.random.Generator) -> Detections:
    """Counts of products that were never made, half a second after a real detection."""
    again = take(detections, chance(rng, GHOST, len(detections.camera)) & (detections.at_ms + 500 < ends_ms))
    count = len(again.camera)
    return Detections(
        camera=again.camera,
        worker=again.worker,
        station=again.station,
        event_type=np.full(count, PRODUCT_COUNT),
        at_ms=again.at_ms + 500,
        units=np.ones(count, dtype=np.int64),
        confidence=_confidence(again.version, np.ones(count, dtype=np.bool_), rng),
        version=again.version,
    )
