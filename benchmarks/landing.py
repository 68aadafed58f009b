"""Compares landing with its lower bound. `python -m benchmarks.landing` measures the large cases.

The large cases take minutes and run separately. Their objects are links to the same few files, so that they measure
landing and not the disk.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

import duckdb

from benchmarks import events as made
from benchmarks.slow_link import slow_link
from ingestion.bucket import S3Bucket
from ingestion.landing.batch import land
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from tests.s3_server import BUCKET, s3_server

Add = Callable[[str, str, str], None]

OBJECTS = 50
LINK_BYTES = 125_000_000  # bytes a second: 1 Gbit/s, usual in a plant's network
LARGE_TIMES = 20
STORED_EVENTS, STORED_OBJECTS = 50_000_000, 500_000


def landing(work: Path, events: int, rounds: int, now: datetime, add: Add) -> None:
    """Compare landing with the floor: DuckDB reading the same events from one file into a table."""
    clean, spoiled = work / "events.json", work / "spoiled.json"
    made.write_one_file(clean, events)
    shutil.copyfile(clean, spoiled)
    made.spoil(spoiled, share=0.01)

    plain, bad, many = (
        f"{OBJECTS} objects",
        f"{OBJECTS} objects, 1 % bad records",
        f"{events // 50:,} objects of 50 events",
    )
    cases = {plain: (clean, OBJECTS), bad: (spoiled, OBJECTS), many: (clean, events // 50)}
    floors: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        floors.append(_floor(work, clean))
        for name, (source, objects) in cases.items():
            times[name].append(_land_locally(work, source, objects, now))
    floor = statistics.median(floors)
    add("floor: read_json of one file into a table", f"{floor:.2f}", f"{events / floor:,.0f} events/s")
    for name, seconds in times.items():
        median = statistics.median(seconds)
        result = f"{events / median:,.0f} events/s, {_ratio(seconds, floors):.2f} × the floor"
        if name == bad:
            result += f", {_ratio(seconds, times[plain]):.2f} × without them"
        add(f"landing: {name}", f"{median:.2f}", result)


def from_server(work: Path, events: int, rounds: int, now: datetime, add: Add) -> None:
    """Compare landing from an S3 server with only fetching the same objects, on loopback and over a plant's link.

    On loopback, fetching takes less time than the floor. Over a link, it takes most of the time.
    """
    made.write_one_file(work / "events.json", events)
    made.split_into_objects(work / "events.json", work / "sent", OBJECTS)
    files = sorted((work / "sent/events").rglob("*.jsonl"))
    with (
        tempfile.TemporaryDirectory(dir=work) as folder,
        s3_server(Path(folder)) as environment,
        patch.dict(os.environ, environment),
    ):
        url = f"s3://{BUCKET}/bench"
        bucket = S3Bucket(url)
        for file in files:
            bucket.put(file.relative_to(work / "sent").as_posix(), file.read_bytes())
        settings = Settings(data_dir=work / "from-server", landing_url=url, landed_objects="keep")
        local = settings.model_copy(update={"landing_url": (work / "sent").as_uri()})
        gets, lands, locally = _beside_getting(rounds, now, settings, local)
        _add_from_server(add, "", events, gets, lands, f", {_ratio(lands, locally):.2f} × landing them from a folder")
        port = urlsplit(environment["AWS_ENDPOINT_URL"]).port
        assert port is not None
        with slow_link(port, LINK_BYTES) as relay:
            os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{relay}"
            gets, lands = _beside_getting(rounds, now, settings)
        _add_from_server(add, ", link of 1 Gbit/s", events, gets, lands)


def _beside_getting(rounds: int, now: datetime, *landed: Settings) -> list[list[float]]:
    """The seconds to fetch the objects in each round, then those to land them with each of these settings."""
    bucket = S3Bucket(landed[0].landing_url)
    keys = [info.key for info in bucket.list("events/")]
    seconds: list[list[float]] = [[] for _ in range(1 + len(landed))]
    for _ in range(rounds):
        seconds[0].append(_timed(lambda: _get(bucket, keys)))
        for place, settings in enumerate(landed, 1):
            shutil.rmtree(settings.data_dir, ignore_errors=True)
            settings.data_dir.mkdir()
            seconds[place].append(_timed(partial(land, settings, now)))
    return seconds


def _add_from_server(add: Add, how: str, events: int, gets: list[float], lands: list[float], more: str = "") -> None:
    median = statistics.median(lands)
    add(
        f"landing: {OBJECTS} objects from an S3 server{how}",
        f"{median:.2f}",
        f"{events / median:,.0f} events/s, {_ratio(lands, gets):.2f} × plainly getting them "
        f"({statistics.median(gets):.2f} s){more}",
    )


def _get(bucket: S3Bucket, keys: list[str]) -> None:
    import obstore

    with ThreadPoolExecutor(bucket.concurrency) as pool:
        for content in pool.map(lambda key: obstore.get(bucket.store, key).bytes(), keys):
            len(content)


def at_size(work: Path, events: int, times: int, stored: tuple[int, int], add: Add) -> None:
    """Land `times` the events in one run, then land the events into a warehouse with `stored` (events, objects)."""
    now = datetime.now(UTC)
    made.write_one_file(work / "events.json", events)
    made.split_into_objects(work / "events.json", work / "plant/landing", OBJECTS)
    files = sorted((work / "plant/landing/events").rglob("*.jsonl"))
    for number in range(times):
        for file in files:
            target = work / f"large/landing/events/{number:03d}/{file.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(file)
    os.sync()
    once, _ = _land_apart(work / "plant", now)
    large, peak = _land_apart(work / "large", now)
    add(
        f"landing: {events * times:,} events in {len(files) * times:,} objects, one run",
        f"{large:.1f}",
        f"{events * times / large:,.0f} events/s, {events * times / large / (events / once):.2f} × the rate of "
        f"{events:,}, peak memory {peak / 2**20:.2f} GiB",
    )
    shutil.rmtree(work / "large")
    (work / "plant/warehouse.duckdb").unlink()
    _fill(Settings(data_dir=work / "plant"), *stored)
    full, _ = _land_apart(work / "plant", now)
    add(
        f"landing: {events:,} events into a warehouse of {stored[0]:,} in {stored[1]:,} objects",
        f"{full:.2f}",
        f"{full / once:.2f} × into an empty one",
    )


def _fill(settings: Settings, events: int, objects: int) -> None:
    with open_warehouse(settings) as connection:
        connection.execute(
            f"""
            insert into raw.landed_objects by name
            select
                number as object_id, 'events/old/' || number || '.jsonl' as object_key, md5(number::varchar) as etag,
                20000 as bytes, {events // objects} as records, {events // objects} as accepted, 0 as rejected,
                [] as unexpected_fields, timestamptz '2025-01-01' as landed_at
            from range({objects}) numbers(number)
            """
        )
        connection.execute(
            f"""
            insert into raw.events by name
            select
                number // {events // objects} as object_id, number % {events // objects} + 1 as position,
                timestamptz '2024-01-01' + to_milliseconds(number * 50) as event_at, 'site-1' as site_id,
                'camera-' || number % 100 as camera_id, 'W' || number % 400 as worker_id,
                'S' || number % 200 as workstation_id, 'working' as event_type, 0.9 as confidence, 1 as unit_count,
                'floor-vision' as model_name, '2.1.0' as model_version
            from range({events}) numbers(number)
            """
        )


_LAND = """
import sys, time
from datetime import datetime
from pathlib import Path
from ingestion.landing.batch import land
from ingestion.settings import Settings
from tests.peak_memory import peak_kilobytes
settings = Settings(data_dir=Path(sys.argv[1]), landed_objects="keep")
started = time.monotonic()
land(settings, datetime.fromisoformat(sys.argv[2]))
print(time.monotonic() - started, peak_kilobytes())
"""


def _land_apart(data_dir: Path, now: datetime) -> tuple[float, int]:
    """Seconds and peak memory (KiB) of one landing in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", _LAND, str(data_dir), now.isoformat()], check=True, capture_output=True, text=True
    )
    seconds, peak = done.stdout.splitlines()[-1].split()
    return float(seconds), int(peak)


def _floor(work: Path, source: Path) -> float:
    path = work / "floor.duckdb"
    path.unlink(missing_ok=True)
    os.sync()

    def read() -> None:
        with duckdb.connect(path) as connection:
            connection.execute(
                f"create table events as select * from read_json('{source}', format = 'newline_delimited')"
            )

    return _timed(read)


def _land_locally(work: Path, source: Path, objects: int, now: datetime) -> float:
    shutil.rmtree(work / "plant", ignore_errors=True)
    settings = Settings(data_dir=work / "plant", landed_objects="keep")
    made.split_into_objects(source, work / "plant/landing", objects)
    os.sync()  # otherwise landing's commit would wait for the disk to write its input
    return _timed(lambda: land(settings, now))


def _ratio(seconds: list[float], bases: list[float]) -> float:
    return statistics.median(one / base for one, base in zip(seconds, bases, strict=True))


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def main() -> None:
    """Measure the large cases in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="floorhouse-bench-") as folder:
        at_size(
            Path(folder),
            1_000_000,
            LARGE_TIMES,
            (STORED_EVENTS, STORED_OBJECTS),
            lambda stage, seconds, result: print(f"{stage:<80} {seconds:>7}  {result}", flush=True),
        )


if __name__ == "__main__":
    main()
