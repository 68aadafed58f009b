"""`floorhouse try-mapping`: shows record by record what a mapping makes of a sample. Stores nothing.

The sample is read exactly as landing reads an object; only the words here are its own.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ingestion.bucket import FetchedObject
from ingestion.contract.event_columns import COLUMNS
from ingestion.contract.events import Event, Folder, Refusal, folder_of, judge_record
from ingestion.errors import RegistryError
from ingestion.mapping.applying import Mapper
from ingestion.mapping.mapping import Mapping, MappingError
from ingestion.printable import printable
from ingestion.records.opening import open_slices
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import Slice
from ingestion.registry.csv_reading import decode
from ingestion.settings import Settings

SHOWN_CHARACTERS = 200  # of a record


@dataclass(frozen=True, slots=True)
class Tried:
    """What one record of a sample gave: its place, its text, and the verdicts on what the mapping made of it.

    `verdicts` is empty where the mapping made nothing of it.
    """

    position: int
    part: int
    text: str
    verdicts: tuple[Event | Refusal, ...]
    unexpected: frozenset[str] = frozenset()


def try_mapping(file: Path, sample: Path, settings: Settings, now: datetime) -> list[Tried]:
    """Run the mapping in a file over the records of a sample, whose folders count as an object's.

    Raises:
        MappingError: a file cannot be read, the text is no mapping, or it fails; the message quotes values.
    """
    mapping = Mapping("tried", _text(file), str(file))
    content = _bytes(sample)
    key = "/".join(part for part in sample.absolute().parts if part != "/")
    result = ReadObjects()
    fetched = FetchedObject(key, content, len(content), hashlib.sha256(content).hexdigest())
    folder = folder_of(key)
    tried: list[Tried] = []
    with closing(Mapper(now, hides_values=False)) as mapper:
        for records, left_out in open_slices([fetched], lambda _: iter((content,)), settings, result):
            tried += _tried(mapper, mapping, records, left_out, result, folder, now)
    refused = [
        Tried(one.position, one.part, one.payload or "", (Refusal(one.reason, one.detail),)) for one in result.rejected
    ]
    return sorted([*tried, *refused], key=lambda one: (one.position, one.part))


def _tried(
    mapper: Mapper,
    mapping: Mapping,
    records: Slice,
    left_out: list[int],
    result: ReadObjects,
    folder: Folder,
    now: datetime,
) -> Iterator[Tried]:
    places, lines = mapper.rows(mapping, records, left_out, result)
    raws: dict[int, list[bytes]] = defaultdict(list)
    for place, line in zip(places.tolist(), lines.cast("binary").to_pylist(), strict=True):
        raws[place].append(line)
    is_left_out = np.zeros(len(records), np.bool_)
    is_left_out[left_out] = True
    for place in np.flatnonzero(~is_left_out).tolist():
        judged = [judge_record(raw.rstrip(b"\n"), folder, now) for raw in sorted(raws[place])]
        yield Tried(
            int(records.positions[place]),
            int(records.parts[place]),
            records.raw(place).decode("utf-8", errors="replace"),
            tuple(verdict for verdict, _ in judged),
            frozenset[str]().union(*(names for _, names in judged)),
        )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error.strerror}.") from error


def _text(path: Path) -> str:
    try:
        return decode(str(path), _bytes(path))
    except RegistryError as error:
        raise MappingError(str(error)) from error


def told(tried: list[Tried]) -> Iterator[str]:
    """The lines that show what came out, and a last one with the counts."""
    for one in tried:
        place = f"record {one.position}" + (f", part {one.part}" if one.part != 1 else "")
        text = one.text if len(one.text) <= SHOWN_CHARACTERS else f"{one.text[:SHOWN_CHARACTERS]}…"
        yield f"{place}: {' '.join(text.split())}"
        if not one.verdicts:
            yield "  nothing"
        for verdict in one.verdicts:
            if isinstance(verdict, Refusal):
                yield f"  rejected, {verdict.reason}: {verdict.detail}"
            else:
                yield f"  event: {_shown(verdict)}"
        if one.unexpected:
            yield f"  fields that the contract does not know: {', '.join(sorted(one.unexpected))}"
    verdicts = [verdict for one in tried for verdict in one.verdicts]
    rejected = sum(isinstance(verdict, Refusal) for verdict in verdicts)
    nothing = sum(not one.verdicts for one in tried)
    yield (
        f"{len(tried):,} records, {nothing:,} of which gave nothing; "
        f"{len(verdicts) - rejected:,} events, {rejected:,} rejected"
    )


def _shown(event: Event) -> str:
    values = {column.field: getattr(event, column.field) for column in COLUMNS}
    values["timestamp"] = event.timestamp.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return ", ".join(f"{name} {value}" for name, value in values.items() if value not in (None, "unknown"))


def show_trial(file: Path, sample: Path) -> int:
    """Print what the mapping makes of the sample, and return exit status 0.

    Raises:
        MappingError: as `try_mapping`.
    """
    for line in told(try_mapping(file, sample, Settings(), datetime.now(UTC))):
        print(printable(line))
    return 0
