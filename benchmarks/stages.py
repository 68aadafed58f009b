"""The stages that are measured, one function each; a stage leaves its result where the next one looks for it."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks import events as made
from ingestion.landing import land
from ingestion.settings import Settings
from ingestion.simulator import Arguments, simulate
from orchestration.publish import publish_marts
from orchestration.transform import build_models

Add = Callable[[str, str, str], None]

MEMORY_DISK = Path("/dev/shm")
CYCLE_EVENTS = 100_000
CYCLE_OBJECTS = 1_000


def simulator(work: Path, add: Add) -> None:
    """The demo's plant, files only; in memory where there is such a disk, as making files is the disk's cost."""
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else work) as folder:
        summary = simulate(Arguments(landing=Path(folder) / "landing", truth=Path(folder) / "truth"))
        where = "in memory" if Path(folder).is_relative_to(MEMORY_DISK) else "on disk"
    rate = f"{summary.events_per_second:,.0f} events/s in {summary.objects:,} objects {where}"
    add(f"simulator: writing the demo plant's {summary.events:,} events", f"{summary.seconds:.2f}", rate)


def landing(work: Path, events: int, rounds: int, now: datetime, add: Add) -> None:
    """Landing beside the floor: DuckDB reading the same events from one file into a table."""
    clean, spoiled = work / "events.json", work / "spoiled.json"
    made.write_one_file(clean, events)
    shutil.copyfile(clean, spoiled)
    made.spoil(spoiled, share=0.01)

    cases = {
        "50 objects": (clean, 50),
        "50 objects, 1 % bad records": (spoiled, 50),
        f"{events // 50:,} objects of 50 events": (clean, events // 50),
    }
    floors: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        floors.append(_floor(work, clean))
        for name, (source, objects) in cases.items():
            times[name].append(_land(work, source, objects, now))
    floor = statistics.median(floors)
    add("floor: read_json of one file into a table", f"{floor:.2f}", f"{events / floor:,.0f} events/s")
    for name, seconds in times.items():
        ratio = statistics.median(one / base for one, base in zip(seconds, floors, strict=True))
        median = statistics.median(seconds)
        add(f"landing: {name}", f"{median:.2f}", f"{events / median:,.0f} events/s, {ratio:.1f} × the floor")


def transformation_and_publishing(work: Path, events: int, add: Add) -> None:
    """All models over what `landing` landed last, twice (dbt parses once), and the marts' files."""
    settings = Settings(data_dir=work / "plant")
    first = _timed(lambda: build_models(settings))
    second = _timed(lambda: build_models(settings))
    add("transformation: first build, with dbt's parsing", f"{first:.2f}", f"{events / first:,.0f} events/s")
    add("transformation: second build", f"{second:.2f}", f"{events / second:,.0f} events/s")
    report = publish_marts(settings)
    add("publishing", f"{report.seconds:.2f}", f"{report.bytes / 1e6:.1f} MB, {sum(report.rows.values()):,} rows")
    size = settings.warehouse_path.stat().st_size
    add("warehouse", "", f"{size / events:,.0f} bytes for each event")


def whole_cycle(work: Path, add: Add) -> None:
    """`make run` from process start to published marts, then once more with nothing new."""
    data_dir = work / "cycle"
    made.write_one_file(work / "cycle.json", CYCLE_EVENTS)
    made.split_into_objects(work / "cycle.json", data_dir / "landing", CYCLE_OBJECTS)
    command = [sys.executable, "-m", "orchestration.run", "--no-site"]
    environment = {**os.environ, "FLOORHOUSE_DATA_DIR": str(data_dir)}

    def run() -> None:
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)

    first, second = _timed(run), _timed(run)
    add(
        f"whole cycle: {CYCLE_EVENTS:,} events in {CYCLE_OBJECTS:,} objects, new data folder",
        f"{first:.1f}",
        "process start to published marts",
    )
    add("whole cycle: nothing new", f"{second:.1f}", "process start to published marts")


def _floor(work: Path, source: Path) -> float:
    path = work / "floor.duckdb"
    path.unlink(missing_ok=True)

    def read() -> None:
        with duckdb.connect(path) as connection:
            connection.execute(
                f"create table events as select * from read_json('{source}', format = 'newline_delimited')"
            )

    return _timed(read)


def _land(work: Path, source: Path, objects: int, now: datetime) -> float:
    shutil.rmtree(work / "plant", ignore_errors=True)
    settings = Settings(data_dir=work / "plant", landed_objects="keep")
    made.split_into_objects(source, work / "plant/landing", objects)
    return _timed(lambda: land(settings, now))


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started
