"""Measures the time from a dropped file to a changed figure on an open page: `python -m benchmarks.live [--drops 20]`.

The plant is the demo's: 30 days, 2 sites, 12 cameras. The daemon, its watcher and warm process, the files, the report's
server and the page in Chromium are real. A file of 200 events is dropped at a moment that no clock of the plant knows.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.browser import Visit, find_chromium, open_pages
from reports.serve import open_server

Add = Callable[[str, str, str], None]

DROPS = 20
EVENTS = 200
_LONGEST_SECONDS = 120
# The page is open and still after this time.
_OPEN_SECONDS = 12.0

# Waits until the units on the page change; the answer is that instant, in milliseconds of the machine's clock.
_CHANGE = f"""
    const read = () => document.querySelector('[data-figure=units]')?.innerText;
    const before = read();
    const until = Date.now() + {1000 * _LONGEST_SECONDS};
    while (read() === before && Date.now() < until) await new Promise((go) => setTimeout(go, 20));
    return JSON.stringify(read() === before ? null : Date.now());
"""


def live(work: Path, add: Add, drops: int = DROPS) -> None:
    """Measure `drops` drops one after the other. Without Chromium nothing is measured."""
    if find_chromium() is None:
        return
    settings = Settings(data_dir=work / "live")
    environment = {**os.environ, "FLOORHOUSE_DATA_DIR": str(settings.data_dir)}
    subprocess.run([sys.executable, "-m", "floorhouse", "demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
    place = _a_place(settings)
    with _daemon(environment), open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            base = server.address.rstrip("/")
            _drop(settings, place, 0)
            time.sleep(_LONGEST_SECONDS)  # the warm process imports, and its first batch is a cold one
            seconds = [_measure(settings, base, place, number) for number in range(1, drops + 1)]
        finally:
            server.shutdown()
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    add(
        f"live: {EVENTS} events dropped → the figure changes on an open page",
        f"{statistics.median(seconds):.1f}",
        f"median of {drops} drops; 95th percentile {p95:.1f} s, longest {ordered[-1]:.1f} s; 30 days of history",
    )


def _measure(settings: Settings, base: str, place: tuple[str, str], number: int) -> float:
    with ThreadPoolExecutor(1) as page:
        opened = page.submit(open_pages, base, [Visit("/", script=_CHANGE)])
        time.sleep(_OPEN_SECONDS + 10 * random.random())
        dropped = _drop(settings, place, number)
        (met,) = opened.result()
    changed = json.loads(met["answer"]) if "answer" in met else None
    if changed is None:
        raise ReportError(
            f"The page did not change within {_LONGEST_SECONDS} s: {met.get('problem', 'no problem told')}."
        )
    return float(changed) / 1000 - dropped


def _a_place(settings: Settings) -> tuple[str, str]:
    """A site and a station of the plant."""
    with duckdb.connect() as connection:
        row = connection.execute(
            f"select site_id, workstation_id from '{settings.published_path / 'workstation_shifts.parquet'}' limit 1"
        ).fetchone()
    if row is None:
        raise ReportError("The demo published no station.")
    return row


def _drop(settings: Settings, place: tuple[str, str], number: int) -> float:
    """Drop a file of counted pieces; returns the instant of its last rename, in seconds of the machine's clock."""
    newest = datetime.now(UTC) - timedelta(seconds=60)
    lines = [
        json.dumps({
            "timestamp": (newest - timedelta(milliseconds=100 * piece)).isoformat(),
            "site_id": place[0],
            "worker_id": "bench",
            "workstation_id": place[1],
            "camera_id": "bench",
            "event_type": "product_count",
            "confidence": 0.9,
        })
        for piece in range(EVENTS)
    ]  # fmt: skip
    arriving = settings.data_dir / "landing" / "events" / f"bench-{number}.tmp"
    arriving.write_text("\n".join(lines))
    arriving.rename(arriving.with_suffix(".jsonl"))
    return time.time()


@contextmanager
def _daemon(environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "orchestration.commands.daemon"]
    daemon = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def main() -> None:
    """Measure in a temporary folder and print the row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--drops", type=int, default=DROPS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="floorhouse-bench-") as folder:
        live(Path(folder), lambda *row: print(*row, sep="  ", flush=True), arguments.drops)


if __name__ == "__main__":
    main()
