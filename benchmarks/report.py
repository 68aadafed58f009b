"""Measures the report of a large plant: time of a refresh, bytes to fetch, and time until a page shows its figures.

DuckDB generates the published marts: 100 cameras, 600 workers, 300 stations, two years, and 40 dates of intervals and
hours, of which the report keeps 31. The browser is the machine's Chromium, connected over loopback.
"""

from __future__ import annotations

import json
import statistics
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.browser import Visit, find_chromium, open_pages
from reports.serve import open_server
from reports.shell import build_shell
from reports.site import publish_site

Add = Callable[[str, str, str], None]

DAYS = 730
DETAIL_DAYS = 40
ROUNDS = 5

_MARTS = """
create macro site(number) as 'site-' || (1 + number % 3);
create macro draw(a, b, c) as hash(a, b, c) % 1000 / 1000.0;
create table windows as
    select 'site-' || site as site_id, day::date as shift_date, shift_id, day + start * interval 1 hour as started_at
    from range(1, 4) as sites(site),
        range(date '2026-10-31' - $days::integer, timestamp '2026-10-31', interval 1 day) as days(day),
        (values ('day', 5), ('evening', 13), ('night', 21)) as shifts(shift_id, start);
create table sites as
    select distinct site_id, upper(site_id) as site_name, 'Europe/Berlin' as timezone,
        timestamptz '2026-10-30 22:00:00+00' as last_event_at from windows;
create table shift_windows as
    select site_id, shift_date, shift_id, started_at::timestamptz as started_at,
        (started_at + interval 8 hour)::timestamptz as ended_at, true as is_complete, true as is_day_complete
    from windows;
create table worker_shifts as
    select
        site_id, shift_date, shift_id, 'W' || number as worker_id, 'Operator ' || number as worker_name,
        true as is_registered, 20000 + 4000 * draw(number, shift_date, 1) as active_seconds,
        2000 + 1000 * draw(number, shift_date, 2) as idle_seconds, 500 * draw(number, shift_date, 3) as absent_seconds,
        active_seconds + idle_seconds as present_seconds, present_seconds + absent_seconds as tracked_seconds,
        28800.0::double as scheduled_seconds, tracked_seconds * 0.95 as observed_seconds,
        (200 + hash(number, shift_date) % 100)::bigint as units,
        300::bigint as event_count, started_at
    from range(600) as numbers(number) join windows on site(number) = site_id
        and shift_id = ['day', 'evening', 'night'][1 + number // 3 % 3] and draw(number, shift_date, 4) < 0.7;
create table workstation_shifts as
    select
        site_id, shift_date, shift_id, 'S' || number as workstation_id, 'Station ' || number as workstation_name,
        'press' as station_type, true as is_registered, 15000 + 9000 * draw(number, started_at, 1) as working_seconds,
        3000 * draw(number, started_at, 2) as idle_seconds, working_seconds + idle_seconds as occupancy_seconds,
        occupancy_seconds * 0.8 as staffed_seconds, (300 + hash(number, started_at) % 200)::bigint as units,
        2::bigint as worker_count, 400.0::double as target_units, started_at
    from range(300) as numbers(number) join windows on site(number) = site_id;
create table site_shifts as
    select site_id, shift_date, shift_id, sum(active_seconds) as productive_seconds, sum(units)::bigint as units,
        avg(active_seconds / present_seconds) as average_utilization, count(*) as worker_count,
        100::bigint as workstation_count
    from worker_shifts group by all;
create table hourly_output as
    select site_id, workstation_id, (started_at + hour * interval 1 hour)::timestamptz as hour, shift_date, shift_id,
        (units / 8)::bigint as units, working_seconds / 8 as working_seconds, idle_seconds / 8 as idle_seconds,
        50.0::double as target_units
    from workstation_shifts, range(8) as hours(hour) where shift_date > date '2026-10-30' - $detail::integer;
create table state_intervals as
    select site_id, shift_date, shift_id, worker_id,
        'S' || hash(worker_id, shift_date, part // 80) % 300 as workstation_id,
        ['working', 'idle', 'working', 'absent'][1 + part % 4] as state,
        (started_at + (120 * part + 60 * draw(worker_id, started_at, part)) * interval 1 second)::timestamptz
            as started_at,
        (started_at + (120 * (part + 1) + 60 * draw(worker_id, started_at, part + 1)) * interval 1 second)::timestamptz
            as ended_at
    from worker_shifts, range(230) as parts(part) where shift_date > date '2026-10-30' - $detail::integer;
create table observed_intervals as
    select site_id, shift_date, shift_id, worker_id, workstation_id, min(started_at) as started_at,
        max(ended_at) as ended_at, date_diff('second', min(started_at), max(ended_at))::double as seconds
    from state_intervals group by all;
create table model_days as
    select site(number) as site_id, day::date as event_date, 'camera-' || number as camera_id, 'floor' as model_name,
        '2.' || (day::date - date '2024-01-01') // 200 as model_version, 12000::bigint as event_count,
        0.9 + draw(number, day, 1) / 20 as mean_confidence, 0.7 + draw(number, day, 2) / 10 as p05_confidence,
        8400::bigint as working_events, 2400::bigint as idle_events, 600::bigint as absent_events,
        600::bigint as product_count_events
    from range(100) as numbers(number),
        range(date '2026-10-31' - $days::integer, timestamp '2026-10-31', interval 1 day) as days(day);
create table landed_objects as
    select 'events/' || number || '.jsonl' as object_key, md5(number::varchar) as etag, 200000::bigint as bytes,
        800::bigint as records, 799::bigint as accepted, 1::bigint as rejected,
        timestamptz '2026-10-30 22:00:00+00' - number * interval 5 minute as landed_at
    from range(200000) as objects(number);
"""
_NAMES = (
    "sites", "shift_windows", "worker_shifts", "workstation_shifts", "site_shifts", "hourly_output", "state_intervals",
    "observed_intervals", "model_days", "landed_objects",
)  # fmt: skip

# Chooses a value in a select and waits until the figures change. The browser's clock measures the time.
_CHOOSE = """
    const read = () => document.querySelector('[data-figure=units]')?.innerText;
    const times = [];
    await new Promise((go) => setTimeout(go, 3000));
    const choices = [['site', 'site-2'], ['shift', 'day'], ['period', '31'], ['shift', 'night'], ['site', 'site-3'],
        ['period', '92'], ['shift', ''], ['site', '']];
    for (const [name, value] of choices) {
        const select = document.querySelector(`select[name=${name}]`);
        const before = read();
        const started = performance.now();
        select.value = value;
        select.dispatchEvent(new Event('change', { bubbles: true }));
        while (read() === before && performance.now() - started < 5000) await new Promise((go) => setTimeout(go, 5));
        times.push(performance.now() - started);
    }
    return JSON.stringify(times);
"""


def report(work: Path, add: Add) -> None:
    """Refresh the large plant's site, then open its pages. Without Chromium, no page is opened."""
    settings = Settings(data_dir=work / "report")
    _publish_marts(settings)
    shell = build_shell(lambda _: None)
    first = publish_site(settings, shell)
    size = sum(path.stat().st_size for path in (settings.site_path / "data").rglob("*") if path.is_file())
    add("report: first refresh of two years, 600 workers", f"{first.seconds:.1f}", f"{size / 1e6:.1f} MB of site data")
    _add_an_hour(settings)
    second = publish_site(settings, shell)
    result = f"{second.bytes_written / 1e6:.2f} MB in {second.files} files written"
    add("report: refresh after one more shift", f"{second.seconds:.1f}", result)
    if find_chromium() is None:
        return
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            _open(server.address.rstrip("/"), add)
        finally:
            server.shutdown()


def _open(base: str, add: Add) -> None:
    cold = open_pages(base, [Visit("/", fresh=True)] * ROUNDS)
    median = statistics.median(page["milliseconds"] for page in cold)
    result = f"{cold[0]['dataBytes'] / 1e6:.2f} MB of data, {cold[0]['bytes'] / 1e6:.2f} MB in all, engine not counted"
    add("report: plant page, first visit to first figures", f"{median / 1000:.2f}", result)
    for name, path in {
        "plant page, filters in the address": "/?site=site-2&shift=day&period=31",
        "timeline of one shift": "/timeline/",
        "one worker": "/workers/site-1/W0/",
    }.items():
        pages = open_pages(base, [Visit(path, fresh=True)] * 3)
        seconds = statistics.median(page["milliseconds"] for page in pages) / 1000
        add(f"report: {name}, first visit", f"{seconds:.2f}", f"{pages[0]['dataBytes'] / 1e6:.2f} MB of data")
    for name, path in {"plant": "/", "stations": "/workstations/"}.items():
        (page,) = open_pages(base, [Visit(path, script=_CHOOSE)])
        if "problem" in page:
            raise ReportError(f"The report could not be measured: {page['problem']}")
        times = json.loads(page["answer"])
        result = f"slowest {max(times):,.0f} ms, of {len(times)} choices up to 92 days"
        add(f"report: {name} page, a filter changes", f"{statistics.median(times) / 1000:.2f}", result)


def _publish_marts(settings: Settings) -> None:
    folder = settings.data_dir / "published-versions" / "1"
    folder.mkdir(parents=True)
    values = {"days": DAYS, "detail": DETAIL_DAYS}
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for statement in filter(str.strip, _MARTS.split(";\n")):
            connection.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})
        for mart in _NAMES:
            connection.execute(
                f"copy (from {mart} order by all) to '{folder / mart}.parquet' (format parquet, compression zstd)"
            )
    settings.published_path.symlink_to(folder.relative_to(settings.data_dir))


def _add_an_hour(settings: Settings) -> None:
    """Change the newest day shift of one site, like a batch of new events."""
    folder = settings.published_path.resolve()
    for mart, column in {
        "worker_shifts": "active_seconds", "workstation_shifts": "working_seconds", "site_shifts": "productive_seconds",
        "hourly_output": "working_seconds",
    }.items():  # fmt: skip
        touched = "site_id = 'site-1' and shift_date = '2026-10-30' and shift_id = 'day'"
        changed = (
            f"select * replace (if({touched}, {column} + 60, {column}) as {column}) from '{folder / mart}.parquet'"
        )
        with duckdb.connect() as connection:
            connection.execute(f"copy ({changed}) to '{folder / mart}.new' (format parquet, compression zstd)")
        (folder / f"{mart}.new").replace(folder / f"{mart}.parquet")
