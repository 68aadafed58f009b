"""Compares framing that follows JSON streams (contract §1) with a plain split into lines, over the same bytes.

Plain JSON Lines must cost hardly more than such a split. The split below is the lower bound: it finds line feeds and
knows nothing of values that span lines or share one. Processor time is measured, because the work waits for nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

from benchmarks import events as made
from ingestion.bucket import FetchedObject
from ingestion.reading.events import EventReader
from ingestion.records.opening import open_slices
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import Slice
from ingestion.settings import Settings

Add = Callable[[str, str, str], None]
Read = Callable[[list[FetchedObject], ReadObjects], Iterable[Slice]]

OBJECTS_IN_SLICE = 7  # about as many bytes as a slice of landing has
_BLOCK = 1 << 18  # bytes scanned at once
_LINE_FEED = ord("\n")


def framing(work: Path, events: int, objects: int, rounds: int, add: Add) -> None:
    """Frame JSON Lines both ways, alone and with the judging of their records; then values that share a line."""
    made.write_one_file(work / "events.json", events)
    lines = _objects((work / "events.json").read_bytes().splitlines(keepends=True), objects)
    ways: dict[str, tuple[Read, bool]] = {
        "split": (_split, False),
        "framed": (_framed, False),
        "split and judged": (_split, True),
        "framed and judged": (_framed, True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        # Every second round goes backwards, so that no way always follows the same one.
        for name in list(ways)[:: -1 if number % 2 else 1]:
            seconds[name].append(_timed(*ways[name], lines, events))
    for stage, name, base in (
        ("framing: JSON Lines, processor time", "framed", "split"),
        ("framing and judging: JSON Lines, processor time", "framed and judged", "split and judged"),
    ):
        median = statistics.median(seconds[name])
        ratio = statistics.median(one / plain for one, plain in zip(seconds[name], seconds[base], strict=True))
        result = f"{events / median:,.0f} events/s, {ratio:.2f} × with a plain split into lines"
        add(stage, f"{median:.2f}", result)
    few = [one._replace(content=(one.content or b"").replace(b"\n", b"")) for one in lines[: max(objects // 10, 1)]]
    glued = sum((one.content or b"").count(b"{") for one in few)
    one_line = _timed(_framed, False, few, glued)
    add("framing: JSON values without line feeds between them", f"{one_line:.2f}", f"{glued / one_line:,.0f} events/s")


def _objects(lines: list[bytes], objects: int) -> list[FetchedObject]:
    found = []
    for index in range(objects):
        content = b"".join(lines[index * len(lines) // objects : (index + 1) * len(lines) // objects])
        found.append(FetchedObject(f"events/{index:06d}.jsonl", content, len(content), str(index)))
    return found


def _timed(read: Read, judged: bool, objects: list[FetchedObject], events: int) -> float:
    """Processor seconds to read the objects, which hold this many events."""
    started = time.process_time()
    found = _read(read, judged, objects)
    seconds = time.process_time() - started
    if found != events:
        raise RuntimeError(f"{found:,} records of {events:,} were found.")
    return seconds


def _read(read: Read, judged: bool, objects: list[FetchedObject]) -> int:
    """The number of records that were framed or, if they are `judged`, accepted."""
    result = ReadObjects()
    if not judged:
        return sum(len(records) for records in read(objects, result))
    found = 0
    with duckdb.connect() as session:
        session.execute("set timezone = 'UTC'")
        reader = EventReader(datetime.now(UTC), session)
        for records in read(objects, result):
            for table in reader.judge(reader.parse(records, []), records, [], result):
                found += len(table)
    return found


def _framed(objects: list[FetchedObject], result: ReadObjects) -> Iterable[Slice]:
    for records, _ in open_slices(objects, lambda _: iter(()), Settings(), result):
        yield records


def _split(objects: list[FetchedObject], result: ReadObjects) -> Iterable[Slice]:
    for first in range(0, len(objects), OBJECTS_IN_SLICE):
        share = objects[first : first + OBJECTS_IN_SLICE]
        indexes = [result.add(one) for one in share]
        contents = [one.content or b"" for one in share]
        text = b"".join(contents)
        codes = np.frombuffer(text, np.uint8)
        feeds = [np.flatnonzero(codes[at : at + _BLOCK] == _LINE_FEED) + at for at in range(0, len(text), _BLOCK)]
        bounds = np.concatenate([[0], np.concatenate(feeds) + 1])
        counts = [content.count(b"\n") for content in contents]
        yield Slice(
            text,
            bounds,
            np.repeat(np.array(indexes, np.int32), counts),
            np.concatenate([np.arange(1, count + 1) for count in counts]),
            np.ones(len(bounds) - 1, np.int32),
        )
