"""Compares landing through a mapping (contract §1) with landing the same events as the contract spells them.

The mapping only gives fields other names, so every payload is one event and all of the difference is the mapping's.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

import ingestion.mapping
from benchmarks import events as made
from ingestion.landing.batch import land
from ingestion.settings import Settings

Add = Callable[[str, str, str], None]

SOURCE = "renames"
OBJECTS = 50
_NAMES = {
    "timestamp": "time",
    "worker_id": "person",
    "workstation_id": "station",
    "event_type": "state",
    "confidence": "score",
    "count": "pieces",
    "camera_id": "camera",
    "model_name": "model",
    "model_version": "version",
}


def mapping(work: Path, events: int, rounds: int, now: datetime, add: Add) -> None:
    """Land payloads through the preset for renames, and the same events without a mapping, by turns."""
    made.write_one_file(work / "events.json", events)
    _write_payloads(work / "events.json", work / "payloads.json")
    seconds: dict[str, list[float]] = {"payloads.json": [], "events.json": []}
    for number in range(rounds):
        for name in list(seconds)[:: -1 if number % 2 else 1]:
            seconds[name].append(_land(work, work / name, events, now))
    mapped, plain = seconds.values()
    median = statistics.median(mapped)
    ratio = statistics.median(one / base for one, base in zip(mapped, plain, strict=True))
    add(
        f"landing: {OBJECTS} objects through a mapping, one event a payload",
        f"{median:.2f}",
        f"{events / median:,.0f} payloads/s, {ratio:.2f} × without a mapping",
    )


def _write_payloads(events: Path, payloads: Path) -> None:
    renamed = ", ".join(f"{old} as {new}" for old, new in _NAMES.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select site_id, {renamed} from read_json('{events}', format = 'newline_delimited', "
            f"columns = {{site_id: 'varchar', {', '.join(f'{old}: {_type(old)!r}' for old in _NAMES)}}})) "
            f"to '{payloads}' (format json)"
        )


def _type(field: str) -> str:
    return {"confidence": "double", "count": "bigint"}.get(field, "varchar")


def _land(work: Path, source: Path, events: int, now: datetime) -> float:
    """Seconds to land a file, cut into objects."""
    plant = work / "mapped"
    shutil.rmtree(plant, ignore_errors=True)
    settings = Settings(data_dir=plant, landed_objects="keep", registry_still_seconds=0)
    made.split_into_objects(source, plant / "landing", OBJECTS)
    if source.name == "payloads.json":
        (plant / "landing/events").rename(plant / "landing/sent")
        (plant / "landing/events").mkdir()
        (plant / "landing/sent").rename(plant / f"landing/events/source={SOURCE}")
        (plant / "landing/registry/mappings").mkdir(parents=True)
        preset = Path(ingestion.mapping.__file__).with_name("presets") / f"{SOURCE}.sql"
        shutil.copyfile(preset, plant / f"landing/registry/mappings/{SOURCE}.sql")
    os.sync()
    started = time.monotonic()
    report = land(settings, now)
    seconds = time.monotonic() - started
    if report.accepted != events:
        raise RuntimeError(f"{report.accepted:,} of {events:,} events landed.")
    return seconds
