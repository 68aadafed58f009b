"""The measured stages, one function each. A stage uses the results of the previous ones."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import events as made
from ingestion.settings import Settings
from orchestration.dbt.build_state import forget_builds
from orchestration.dbt.runner import build_models
from orchestration.publish import publish_build
from reports.shell import build_shell
from simulator import Arguments, simulate

Add = Callable[[str, str, str], None]

MEMORY_DISK = Path("/dev/shm")
CYCLE_EVENTS = 100_000
CYCLE_OBJECTS = 1_000


def simulator(work: Path, add: Add) -> None:
    """Measure writing the demo plant's files, in a memory file system if there is one, so that the disk has no part."""
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else work) as folder:
        summary = simulate(Arguments(landing=Path(folder) / "landing", truth=Path(folder) / "truth"))
        where = "in memory" if Path(folder).is_relative_to(MEMORY_DISK) else "on disk"
    rate = f"{summary.events_per_second:,.0f} events/s in {summary.objects:,} objects {where}"
    add(f"simulator: writing the demo plant's {summary.events:,} events", f"{summary.seconds:.2f}", rate)


def transformation_and_publishing(work: Path, events: int, add: Add) -> None:
    """Measure all models over the events that `landing` landed last: twice (dbt parses once), then without changes.

    Then measure publishing.
    """
    settings = Settings(data_dir=work / "plant")
    first = _timed(lambda: build_models(settings))
    forget_builds(settings)
    second = _timed(lambda: build_models(settings))
    unchanged = _timed(lambda: build_models(settings))
    add("transformation: first build, with dbt's parsing", f"{first:.2f}", f"{events / first:,.0f} events/s")
    add("transformation: rebuild", f"{second:.2f}", f"{events / second:,.0f} events/s")
    add("transformation: nothing changed", f"{unchanged:.2f}", "every model and test, over no rows")
    report = publish_build(settings)
    add("publishing", f"{report.seconds:.2f}", f"{report.bytes / 1e6:.1f} MB, {sum(report.rows.values()):,} rows")
    size = settings.warehouse_path.stat().st_size
    add("warehouse", "", f"{size / events:,.0f} bytes for each event")


def whole_cycle(work: Path, add: Add) -> None:
    """Measure `make run` from process start to the refreshed site, then with nothing new. The page shell exists."""
    build_shell(lambda _: None)
    data_dir = work / "cycle"
    made.write_one_file(work / "cycle.json", CYCLE_EVENTS)
    made.split_into_objects(work / "cycle.json", data_dir / "landing", CYCLE_OBJECTS)
    environment = {**os.environ, "FLOORHOUSE_DATA_DIR": str(data_dir)}
    cases = (
        f"whole cycle: {CYCLE_EVENTS:,} events in {CYCLE_OBJECTS:,} objects, new data folder",
        "whole cycle: nothing new",
    )
    for case in cases:
        started = time.monotonic()
        command = [sys.executable, "-m", "floorhouse", "run"]
        done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
        _, where = done.stdout.splitlines()[-1].split(maxsplit=1)
        add(case, f"{time.monotonic() - started:.1f}", f"process start to refreshed site: {where}")


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started
