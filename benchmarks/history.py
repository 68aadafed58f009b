"""`make bench-history`: measures whether a batch's cost grows over years. It takes too long for `make bench`.

DuckDB generates a plant's history at a constant rate, so a larger history covers more time. Then a batch of the latest
hours, some of it late, is computed and published in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from ingestion.settings import Settings
from ingestion.warehouse import changed_minutes_of, open_warehouse, transaction
from orchestration.dbt.runner import build_models
from orchestration.publish import publish_build
from tests.peak_memory import peak_kilobytes

RESULTS = Path(__file__).with_name("history.md")
SIZES = (1_000_000, 10_000_000, 100_000_000)
BATCH_EVENTS = 100_000
EVENTS_PER_HOUR = 10_000  # 4 sites with 50 workers each, about one event a minute for each of them
EVENTS_PER_OBJECT = 100
REBUILT_EVENTS = 10_000_000  # the largest history for which the floor is measured
BATCHES = 3

_PAGE = (
    "# What a batch costs after a long history",
    "",
    f"A batch has {BATCH_EVENTS:,} new events, 1 % of them up to three days late; the table has medians of {BATCHES}",
    "batches. The floor reads the events once and sorts them. The load is the number of processes that were ready to",
    "run when the rebuild began. If it is not near 0, other processes ran too: the seconds are then too long, and the",
    "seconds of CPU (of the whole process) are the better measure.",
    "",
)
_HEAD = (
    "| history | rebuild | floor | publishing it | a batch | of it publishing | peak of both | warehouse | load |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)

# Events in order of time. 1 in 100 happened up to three days before it arrived. 1 in 20 is a duplicate of the one
# before, reported by another camera. The event's number decides everything.
_EVENTS = """
    with numbered as (
        select
            number - (hash(number, 'twice') % 20 = 0)::bigint as number,
            hash(number, 'twice') % 20 = 0 as is_repeated,
            number as arrived
        from range($first, $last) as numbers (number)
    )

    select
        arrived // 100 + 1 as object_id,
        arrived % 100 + 1 as position,
        timestamptz '2024-01-01 00:00:00+00' + to_microseconds(
            number * 3600000000 // 10000
            - case when hash(number, 'late') % 100 = 0 then (hash(number, 'delay') % 259200000000)::bigint else 0 end
        ) as event_at,
        'site-' || hash(number, 'worker') % 4 as site_id,
        'camera-' || (hash(number, 'worker') // 4 % 20) || case when is_repeated then 'b' else 'a' end as camera_id,
        'worker-' || hash(number, 'worker') // 4 % 50 as worker_id,
        'station-' || (hash(number, 'worker') // 4 % 50 + (hash(number, 'moved') % 50 = 0)::bigint) as workstation_id,
        ['working', 'working', 'working', 'idle', 'absent', 'product_count'][1 + (hash(number, 'type') % 6)::bigint]
            as event_type,
        0.5 + hash(arrived, 'confidence') % 5000 / 10000 as confidence,
        hash(number, 'count') % 4 as unit_count,
        'eye' as model_name,
        '3.1' as model_version
    from numbered
"""


def main() -> None:
    """Measure one size after another, and delete the data of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="events of history")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="a folder with 10 GB of room")
    parser.add_argument("--step", choices=sorted(_STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--data-dir", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(_measured(_STEPS[arguments.step], Settings(data_dir=arguments.data_dir), arguments.events)))
        return
    print(*_HEAD, sep="\n")
    for events in arguments.sizes:
        with tempfile.TemporaryDirectory(prefix="floorhouse-history-", dir=arguments.work) as folder:
            row = _row(Path(folder), events)
        print(row, flush=True)
        _keep(events, row)


def _keep(events: int, row: str) -> None:
    """Replace the row of a size. Rows of other sizes stay."""
    page = RESULTS.read_text() if RESULTS.exists() else ""
    kept = [line for line in page.splitlines() if line.startswith("| ") and line not in _HEAD]
    rows = {int(line.split("|")[1].replace(",", "")): line for line in kept} | {events: row}
    RESULTS.write_text("\n".join([*_PAGE, *_HEAD, *(rows[size] for size in sorted(rows)), ""]))


def _row(folder: Path, events: int) -> str:
    data_dir = folder / "plant"
    _run("make", data_dir, events)
    load = os.getloadavg()[0]
    # Sorting the largest history would take as long as everything else.
    floor = _run("floor", data_dir, events) if events <= REBUILT_EVENTS else None
    rebuild = _run("rebuild", data_dir, events)
    first = _run("publish", data_dir, events)
    size = (data_dir / "warehouse.duckdb").stat().st_size
    batches = []
    for number in range(BATCHES):
        _run("add", data_dir, events + number * BATCH_EVENTS)
        batches.append(_run("batch", data_dir, events))
    batch = sorted(batches, key=lambda one: one["seconds"])[BATCHES // 2]
    print(f"  slowest models of the batch: {batch['slowest']}", flush=True)
    shutil.rmtree(data_dir)
    peaks = f"{rebuild['peak'] / 2**20:.2f} and {max(one['peak'] for one in batches) / 2**20:.2f} GiB"
    cells = (
        f"{events:,}",
        f"{_seconds(rebuild)}, {events / rebuild['seconds']:,.0f} events/s",
        f"{_seconds(floor)}: {rebuild['seconds'] / floor['seconds']:.1f} ×" if floor else "",
        f"{first['seconds']:.1f} s",
        _seconds(batch),
        f"{batch['published']:.1f} s",
        peaks,
        f"{size / events:,.0f} MB per million events",
        f"{load:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _seconds(measured: dict[str, Any]) -> str:
    return f"{measured['seconds']:.1f} s ({measured['cpu']:.1f} s of CPU)"


def _run(step: str, data_dir: Path, events: int) -> dict[str, Any]:
    """Run one step in a process of its own, so that its peak memory can be measured."""
    command = [sys.executable, "-m", "benchmarks.history", "--step", step, "--data-dir", str(data_dir)]
    done = subprocess.run([*command, "--events", str(events)], check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _measured(step: Callable[[Settings, int], dict[str, Any]], settings: Settings, events: int) -> dict[str, Any]:
    started = time.monotonic()
    cpu = time.process_time()
    found = step(settings, events)
    peak = peak_kilobytes()
    return {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu, "peak": peak, **found}


def _make(settings: Settings, events: int) -> dict[str, Any]:
    """Make a warehouse with a history of events, in the state after landing."""
    settings.data_dir.mkdir(parents=True)
    _add_events(settings, 0, events)
    return {}


def _add(settings: Settings, events: int) -> dict[str, Any]:
    _add_events(settings, events, events + BATCH_EVENTS)
    return {}


def _add_events(settings: Settings, first: int, last: int) -> None:
    numbers = {"first": first, "last": last}
    with open_warehouse(settings) as connection, transaction(connection):
        connection.execute("set memory_limit = '2500MB'")
        connection.execute(
            "insert into raw.settings by name "
            "select 1800000000 as last_event_microseconds, '028f' as review_keys_below "
            "where not exists (from raw.settings)"
        )
        connection.execute(f"insert into raw.events by name {_EVENTS}", numbers)
        connection.execute(
            "insert into raw.landed_objects select number // 100 + 1, 'events/' || number, md5(number::varchar), "
            "25000, 100, 100, 0, [], "
            "timestamptz '2024-01-01 00:05:00+00' + to_microseconds(number * 3600000000 // 10000) "
            "from range($first, $last, 100) as numbers (number)",
            numbers,
        )
        new = f"raw.events where object_id > {first // EVENTS_PER_OBJECT}"
        connection.execute(changed_minutes_of(new))


def _floor(settings: Settings, _: int) -> dict[str, Any]:
    """Measure the lower bound of the work: read the events once and sort them in the order of the intervals."""
    with duckdb.connect(settings.warehouse_path) as connection:
        connection.execute("set memory_limit = '2500MB'")
        connection.execute("attach ':memory:' as floor")
        started = time.monotonic()
        connection.execute("create table floor.sorted as from raw.events order by site_id, worker_id, event_at")
        return {"seconds": time.monotonic() - started}


def _rebuild(settings: Settings, _: int) -> dict[str, Any]:
    return {"seconds": build_models(settings).seconds}


def _publish(settings: Settings, _: int) -> dict[str, Any]:
    return {"seconds": publish_build(settings).seconds}


def _batch(settings: Settings, _: int) -> dict[str, Any]:
    models: dict[str, float] = {}

    def note(event: Any) -> None:
        if event.info.name in ("LogModelResult", "LogTestResult"):
            models[event.data.node_info.node_name] = event.data.execution_time

    built, published = build_models(settings, note), publish_build(settings)
    slowest = sorted(models.items(), key=lambda one: -one[1])[:8]
    return {
        "seconds": built.seconds + published.seconds,
        "published": published.seconds,
        "slowest": ", ".join(f"{name} {seconds:.2f} s" for name, seconds in slowest),
    }


_STEPS = {"make": _make, "add": _add, "floor": _floor, "rebuild": _rebuild, "publish": _publish, "batch": _batch}


if __name__ == "__main__":
    main()
