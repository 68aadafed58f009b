"""Generates plain camera events with DuckDB, in any number of objects. Every measured stage gets the same input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

# 400 workers at 200 stations with 100 cameras; each worker has a state or a count every 20 s.
_EVENTS = """
    select
        strftime(
            timestamp '2026-01-05 05:00:00' + to_milliseconds(cast(number as bigint) * 50 + number % 49),
            '%Y-%m-%dT%H:%M:%S.%gZ'
        ) as timestamp,
        'site-' || (number % 2) as site_id,
        'camera-' || (number % 100) as camera_id,
        'W' || (number % 400) as worker_id,
        'S' || (number % 200) as workstation_id,
        case
            when hash(number) % 100 < 70 then 'working'
            when hash(number) % 100 < 90 then 'idle'
            when hash(number) % 100 < 95 then 'absent'
            else 'product_count'
        end as event_type,
        round(0.80 + (hash(number + 7) % 2000) / 10000.0, 4) as confidence,
        1 + hash(number + 3) % 4 as count,
        'floor-vision' as model_name,
        '2.1.0' as model_version
    from range($events) numbers(number)
"""


def write_one_file(path: Path, events: int) -> None:
    """Write all events as JSON Lines into one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"copy ({_EVENTS.replace('$events', str(events))}) to '{path}' (format json)")


def split_into_objects(path: Path, landing: Path, objects: int) -> None:
    """Split the file's lines into this many objects of a bucket."""
    lines = path.read_bytes().splitlines(keepends=True)
    for index, chunk in enumerate(_chunks(lines, objects)):
        target = landing / f"events/camera_id=camera-{index % 100}/{index:06d}.jsonl"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"".join(chunk))


def spoil(path: Path, share: float) -> None:
    """Spoil this share (0 to 1) of a file's lines, evenly spread, in three ways by turns."""
    lines = path.read_bytes().splitlines(keepends=True)
    step = round(1 / share)
    for at in range(0, len(lines), step):
        way = (at // step) % 3
        if way == 0:
            lines[at] = b"{" + lines[at]
        elif way == 1:
            lines[at] = lines[at].replace(b'"confidence":0', b'"confidence":7')
        else:
            lines[at] = lines[at].replace(b'Z"', b'"', 1)
    path.write_bytes(b"".join(lines))


def _chunks(lines: list[bytes], objects: int) -> Iterator[list[bytes]]:
    for index in range(objects):
        yield lines[index * len(lines) // objects : (index + 1) * len(lines) // objects]
