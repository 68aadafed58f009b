"""Deliberate faults with their place and time, for comparison with the checks that should detect them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from simulator.fleet import Fleet, Site

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MODEL_NAME = "station-state"


@dataclass(frozen=True)
class ModelVersion:
    """A model's quality: shares of detections missed and confused, and the mean loss of confidence in thousandths."""

    version: str
    missed: float
    confused: float
    confidence_loss: int


VERSIONS = (
    ModelVersion("1.4.0", missed=0.03, confused=0.010, confidence_loss=70),
    ModelVersion("1.5.0", missed=0.09, confused=0.070, confidence_loss=190),  # the bad update
    ModelVersion("1.5.1", missed=0.025, confused=0.008, confidence_loss=60),
)


@dataclass(frozen=True)
class Episode:
    """One fault. `camera` is an index into the site's cameras; None means the whole site. Times are ms since 1970."""

    kind: str  # drift, outage, silent_camera, wrong_clock
    site_number: int
    camera: int | None
    started_ms: int
    ended_ms: int
    clock_offset_ms: int = 0


@dataclass(frozen=True)
class Episodes:
    """The simulated period and its faults."""

    begins_ms: int
    ends_ms: int
    planned: tuple[Episode, ...]

    def at(self, site: Site, kind: str) -> list[Episode]:
        """The episodes of one kind that hit a site."""
        return [episode for episode in self.planned if episode.site_number == site.number and episode.kind == kind]


def plan_episodes(fleet: Fleet, begins_ms: int, ends_ms: int) -> Episodes:
    """Spread the episodes over the simulated period. In a short simulation they are shorter."""
    span = ends_ms - begins_ms
    first, last = fleet.sites[0], fleet.sites[-1]

    def episode(kind: str, site: Site, camera: int | None, at: float, length_ms: int) -> Episode:
        started = begins_ms + int(span * at) // HOUR_MS * HOUR_MS
        ended = started + max(HOUR_MS, length_ms // HOUR_MS * HOUR_MS)
        return Episode(kind, site.number, camera, started, ended)

    episodes = [
        replace(
            episode("wrong_clock", first, len(first.cameras) - 1, 0.15, min(3 * DAY_MS, span // 6)),
            clock_offset_ms=-95_000,
        ),
        episode("drift", first, None, 0.40, span // 5),
        episode("outage", last, None, 0.70, min(6 * HOUR_MS, span // 8)),
    ]
    if len(last.cameras) > 1:  # a silent camera needs another camera at its site to be compared with
        episodes.append(episode("silent_camera", last, 1, 0.80, min(2 * DAY_MS, span // 6)))
    return Episodes(begins_ms, ends_ms, tuple(episodes))


def releases(site: Site, episodes: Episodes) -> list[tuple[int, int]]:
    """(from_ms, position in `VERSIONS`) of the models that ran at a site, in order. The first one runs from 0 on."""
    for drift in episodes.at(site, "drift"):
        return [(0, 0), (drift.started_ms, 1), (drift.ended_ms, 2)]
    return [(0, 0), (episodes.begins_ms + (episodes.ends_ms - episodes.begins_ms) * 13 // 20, 2)]


def described(episodes: Episodes, fleet: Fleet) -> list[dict[str, object]]:
    """The episodes with ids and readable instants, for `episodes.json` in the truth folder."""
    rows: list[dict[str, object]] = []
    for episode in episodes.planned:
        site = fleet.sites[episode.site_number]
        rows.append(
            {
                "kind": episode.kind,
                "site_id": site.site_id,
                "camera_id": None if episode.camera is None else site.cameras[episode.camera].camera_id,
                "started_at": _readable(episode.started_ms),
                "ended_at": _readable(episode.ended_ms),
                "clock_offset_seconds": episode.clock_offset_ms / 1000,
            }
        )
    return rows


def _readable(instant_ms: int) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
