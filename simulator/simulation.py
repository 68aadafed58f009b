"""Runs one simulation from arguments to files, and summarises what was written."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.contract.events import EVENT_TYPES
from ingestion.errors import SettingsError
from simulator import truth
from simulator.arguments import Arguments
from simulator.cameras import detect
from simulator.delivery import plan_delivery
from simulator.draws import Purpose, stream
from simulator.episodes import Episodes, described, plan_episodes
from simulator.fleet import Site, plan_fleet
from simulator.objects import FolderBucket
from simulator.production import true_counts
from simulator.registry_files import registry_files
from simulator.sending import send
from simulator.timeline import presences, true_timeline
from simulator.windows import shift_windows

FORMAT_OF_TRUTH = 5  # raise it when the same arguments give other bytes


@dataclass(frozen=True)
class Summary:
    """What a simulation wrote. `events` counts records without retried objects, `records` counts those as well."""

    events: int
    records: int
    malformed: dict[str, int]  # by reason of rejection, including retries
    event_types: dict[str, int]
    objects: int
    bytes: int
    seconds: float
    already_done: bool = False

    @property
    def events_per_second(self) -> float:
        """Events written per second; infinite if there was nothing to do."""
        return self.events / self.seconds if self.seconds else float("inf")


def _silently(_: str) -> None:
    return None


def simulate(arguments: Arguments, report: Callable[[str], None] = _silently) -> Summary:
    """Write the plant's bucket and its truth. Writes nothing if the same simulation already exists.

    If it exists up to an earlier instant, the files since then are sent.

    Raises:
        SettingsError: the truth folder contains another simulation. Two plants in one bucket have no common truth.
    """
    began = time.perf_counter()
    requested = _identity(arguments)
    stamp = arguments.truth / "simulation.json"
    after_ms, before = None, {"objects": 0, "bytes": 0}
    if stamp.exists():
        done = json.loads(stamp.read_text(encoding="utf-8"))
        if done["arguments"] != requested:
            raise SettingsError(
                f"--truth {arguments.truth} holds another simulation ({done['arguments']}), requested: {requested}; "
                "choose another folder or remove that one and its bucket."
            )
        after_ms, before = done["until_ms"], done["summary"]
        if after_ms is None or (arguments.until_ms is not None and arguments.until_ms <= after_ms):
            return Summary(**before, seconds=time.perf_counter() - began, already_done=True)

    arguments.truth.mkdir(parents=True, exist_ok=True)
    bucket = FolderBucket(arguments.landing)
    fleet = plan_fleet(sites=arguments.sites, cameras=arguments.cameras, workers=arguments.workers, seed=arguments.seed)
    for name, text in registry_files(fleet).items() if after_ms is None else ():
        bucket.put(f"registry/{name}", text.encode())
    episodes = plan_episodes(fleet, arguments.begins_ms, arguments.ends_ms)
    parts = [_simulate_site(site, episodes, arguments, bucket, after_ms, report) for site in fleet.sites]
    for name in ("timeline", "units", "windows", "deliveries"):
        truth.write_table(arguments.truth, name, [part.tables[name] for part in parts])
    truth.write_json(arguments.truth, "episodes", described(episodes, fleet))

    summary = Summary(
        events=sum(part.events for part in parts),
        records=sum(part.records for part in parts),
        malformed=dict(sorted(sum((part.malformed for part in parts), Counter()).items())),
        event_types={name: sum(part.event_types[name] for part in parts) for name in EVENT_TYPES},
        objects=before["objects"] + bucket.objects,
        bytes=before["bytes"] + bucket.bytes,
        seconds=0.0,
    )
    written = {key: value for key, value in asdict(summary).items() if key not in ("seconds", "already_done")}
    truth.write_json(
        arguments.truth, "simulation", {"arguments": requested, "until_ms": arguments.until_ms, "summary": written}
    )
    return replace(summary, seconds=time.perf_counter() - began)


@dataclass(frozen=True)
class _SiteDone:
    tables: dict[str, pa.Table]
    events: int
    records: int
    malformed: Counter[str]
    event_types: dict[str, int]


def _simulate_site(
    site: Site,
    episodes: Episodes,
    arguments: Arguments,
    bucket: FolderBucket,
    after_ms: int | None,
    report: Callable[[str], None],
) -> _SiteDone:
    """Simulate one site. Sites share only the bucket, so memory is limited to the events of one site."""
    windows = shift_windows(site, arguments.start, arguments.days)
    day = stream(arguments.seed, Purpose.TIMELINE, site.number)
    segments = true_timeline(site, presences(site, windows, arguments.begins_ms, arguments.ends_ms, day), day)
    counts = true_counts(site, segments)
    seen = detect(site, segments, counts, episodes, stream(arguments.seed, Purpose.CAMERAS, site.number))
    plan = plan_delivery(site, seen, episodes, arguments, stream(arguments.seed, Purpose.DELIVERY, site.number))
    sent = send(site, plan, bucket, report, after_ms, arguments.until_ms)
    per_type = np.bincount(plan.rows.event_type[: sent.rows], minlength=len(EVENT_TYPES)).tolist()
    return _SiteDone(
        tables={
            "timeline": truth.timeline_table(site, segments),
            "units": truth.units_table(site, segments, counts),
            "windows": truth.windows_table(site, windows),
            "deliveries": sent.deliveries,
        },
        events=sent.rows,
        records=sent.records,
        malformed=sent.malformed,
        event_types=dict(zip(EVENT_TYPES, per_type, strict=True)),
    )


def _identity(arguments: Arguments) -> dict[str, Any]:
    """The arguments that determine the bytes, and the bucket's path relative to the truth.

    The path is relative so that both folders can be moved together.
    """
    requested = {key: value for key, value in asdict(arguments).items() if key not in ("landing", "truth", "until")}
    bucket = os.path.relpath(arguments.landing.resolve(), arguments.truth.resolve())
    return requested | {"start": arguments.start.isoformat(), "bucket": bucket, "format": FORMAT_OF_TRUTH}
