"""The plant's registries (contract §1 and §4): CSV files in, checked rows out, or one sentence about the first bad row.

Which windows follow from a shift calendar is decided in the dbt project, not here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from ingestion.bucket import Bucket
from ingestion.contract.events import DEFAULT_SITE
from ingestion.contract.identifiers import MAX_IDENTIFIER_LENGTH
from ingestion.errors import BucketError, RegistryError
from ingestion.records.framing import BYTE_ORDER_MARK

PREFIX = "registry/"
ALL_SITES = "*"
UNSCHEDULED = "unscheduled"
MAX_DURATION_MINUTES = 1440
MAX_UNITS_PER_HOUR = 1_000_000

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Registry:
    """Every registry's rows, columns named as in the contract. A registry without a file has no rows."""

    sites: list[Row] = field(default_factory=list)
    shifts: list[Row] = field(default_factory=list)
    workers: list[Row] = field(default_factory=list)
    workstations: list[Row] = field(default_factory=list)
    targets: list[Row] = field(default_factory=list)
    baselines: list[Row] = field(default_factory=list)


class _BadValue(Exception):
    """The end of the sentence "<file>, line <n>: …"."""


def read_registry(bucket: Bucket, timezones: Collection[str]) -> Registry:
    """The newest file of each registry. `timezones` are the names that the database knows.

    Raises:
        RegistryError: a row cannot be right; names file, line and value.
        BucketError: the bucket cannot be read.
    """
    newest: dict[str, tuple[object, str]] = {}
    for info in bucket.list(PREFIX):
        name = info.key.rpartition("/")[2]
        if name in _FILES:
            newest[name] = max(newest.get(name, (info.modified, info.key)), (info.modified, info.key))
    tables: dict[str, list[Row]] = {}
    for name, (_, key) in newest.items():
        fetched = next(iter(bucket.fetch([key])), None)
        if fetched is None:  # going on without it would take every name and shift from the reports
            raise BucketError(f"{key} cannot be read: it may not be read by this user, or it was just taken away.")
        tables[name.removesuffix(".csv")] = list(_read_file(key, fetched.content or b"", timezones))
    return Registry(**tables)


def _read_file(key: str, content: bytes, timezones: Collection[str]) -> Iterator[Row]:
    name = key.rpartition("/")[2]
    columns, read_row, key_columns = _FILES[name]
    rows: dict[tuple[object, ...], Row] = {}
    lines: dict[tuple[object, ...], int] = {}
    for line, cells in _read_cells(key, content, columns):
        try:
            row = read_row(cells, timezones)
        except _BadValue as error:
            raise RegistryError(f"{key}, line {line}: {error}.") from error
        row_key = tuple(row[column] for column in key_columns)
        rows[row_key], lines[row_key] = row, line  # the last row of a key wins
    if name in _DATED:
        _refuse_overlaps(key, _DATED[name], [(row, lines[row_key]) for row_key, row in rows.items()])
    yield from rows.values()


def _read_cells(key: str, content: bytes, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row's cells by column name, trimmed, with the line it ends on. Unknown columns are ignored."""
    try:
        text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start + len(BYTE_ORDER_MARK)) + 1
        raise RegistryError(f"{key}, line {line}: {content[error.start : error.start + 1]!r} is not UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = [cell.strip(" ") for cell in cells]
                missing = [column for column in columns if column not in header]
                if missing:
                    raise RegistryError(f"{key}, line {reader.line_num}: the column {missing[0]} is missing.")
                continue
            if len(cells) > len(header):
                raise RegistryError(
                    f"{key}, line {reader.line_num}: {len(cells)} values for {len(header)} columns ({cells[-1]!r})."
                )
            padded = cells + [""] * (len(header) - len(cells))
            yield reader.line_num, {name: cell.strip(" ") for name, cell in zip(header, padded, strict=True)}
    except csv.Error as error:
        raise RegistryError(f"{key}, line {reader.line_num}: not CSV ({error}).") from error
    if header is None:
        raise RegistryError(f"{key}, line 1: the column {columns[0]} is missing.")


def _identifier(cells: dict[str, str], column: str, default: str | None = None) -> str:
    value = cells[column] or default or ""
    if not 1 <= len(value) <= MAX_IDENTIFIER_LENGTH:
        raise _BadValue(f"{column} is {value!r}; expected is a text of 1 to {MAX_IDENTIFIER_LENGTH} characters")
    return value


def _site(cells: dict[str, str], timezones: Collection[str]) -> Row:
    timezone = cells["timezone"]
    if timezone not in timezones:
        raise _BadValue(f"timezone is {timezone!r}; expected is an IANA name such as Europe/Berlin")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "name": cells["name"] or None,
        "timezone": timezone,
    }


def _worker(cells: dict[str, str], _: Collection[str]) -> Row:
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "worker_id": _identifier(cells, "worker_id"),
        "name": cells["name"] or None,
    }


def _workstation(cells: dict[str, str], _: Collection[str]) -> Row:
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "workstation_id": _identifier(cells, "workstation_id"),
        "name": cells["name"] or None,
        "station_type": cells["station_type"] or None,
    }


_MIX = ("working", "idle", "absent", "product_count")
# How far the shares of a baseline may be from a sum of 1: people write two digits.
_SUM_TOLERANCE = 0.005


def _baseline(cells: dict[str, str], _: Collection[str]) -> Row:
    """A site's expected event mix: four shares, or the period of its own past that they are learned from."""
    site = cells["site_id"] or ALL_SITES
    row: Row = {"site_id": site if site == ALL_SITES else _identifier(cells, "site_id")}
    first, last = _date(cells, "reference_from"), _date(cells, "reference_to")
    given = [cells.get(kind, "") for kind in _MIX]
    if (first or last) and any(given):
        raise _BadValue("both shares and a reference period are given; expected is one of them")
    if first or last:
        if first is None or last is None or last < first:
            raise _BadValue("reference_from and reference_to are not a period; expected are its first and last date")
        return {**row, **dict.fromkeys(_MIX), "reference_from": first, "reference_to": last}
    shares: list[float] = []
    for kind, text in zip(_MIX, given, strict=True):
        if not re.fullmatch(r"0|1|[01]?\.[0-9]{1,6}", text) or not 0 < float(text) < 1:
            raise _BadValue(f"{kind} is {text!r}; expected is a share above 0 and below 1")
        shares.append(float(text))
    if abs(sum(shares) - 1) > _SUM_TOLERANCE:
        raise _BadValue(f"the four shares add up to {sum(shares):g}; expected is 1")
    return {
        **row,
        **{kind: share / sum(shares) for kind, share in zip(_MIX, shares, strict=True)},
        "reference_from": None,
        "reference_to": None,
    }


def _shift(cells: dict[str, str], _: Collection[str]) -> Row:
    shift_id = _identifier(cells, "shift_id")
    if shift_id == UNSCHEDULED:
        raise _BadValue(f"shift_id is {shift_id!r}, which is reserved for time outside of all shifts")
    start = cells["start_local"]
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", start):
        raise _BadValue(f"start_local is {start!r}; expected is HH:MM from 00:00 to 23:59")
    duration = cells["duration_minutes"]
    if not re.fullmatch(r"[0-9]{1,6}", duration) or not 1 <= int(duration) <= MAX_DURATION_MINUTES:
        raise _BadValue(
            f"duration_minutes is {duration!r}; expected is a whole number from 1 to {MAX_DURATION_MINUTES}"
        )
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "shift_id": shift_id,
        "start_local": start,
        "duration_minutes": int(duration),
        **_valid_dates(cells),
    }


def _target(cells: dict[str, str], _: Collection[str]) -> Row:
    shift_id = _identifier(cells, "shift_id")
    if shift_id == UNSCHEDULED:
        raise _BadValue(f"shift_id is {shift_id!r}; time outside of all shifts has no target")
    rate = cells["units_per_hour"]
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", rate) or not 0 < float(rate) <= MAX_UNITS_PER_HOUR:
        raise _BadValue(f"units_per_hour is {rate!r}; expected is a number above 0, at most {MAX_UNITS_PER_HOUR}")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "workstation_id": _identifier(cells, "workstation_id"),
        "shift_id": shift_id,
        "units_per_hour": float(rate),
        **_valid_dates(cells),
    }


def _valid_dates(cells: dict[str, str]) -> Row:
    """The optional columns valid_from and valid_to, both inclusive."""
    valid_from, valid_to = _date(cells, "valid_from"), _date(cells, "valid_to")
    if valid_from and valid_to and valid_to < valid_from:
        raise _BadValue(f"valid_to is {valid_to.isoformat()!r}, before valid_from {valid_from.isoformat()!r}")
    return {"valid_from": valid_from, "valid_to": valid_to}


def _date(cells: dict[str, str], column: str) -> date | None:
    value = cells.get(column, "")
    if not value:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError as error:
        raise _BadValue(f"{column} is {value!r}; expected is a date YYYY-MM-DD or nothing") from error


def _refuse_overlaps(key: str, names: tuple[str, ...], entries: list[tuple[Row, int]]) -> None:
    """Two ranges of dates of one thing, known by the columns `names`, must not share a date."""

    def first_date(entry: tuple[Row, int]) -> tuple[list[str], date]:
        row, _ = entry
        return [str(row[name]) for name in names], _start(row)

    ordered = sorted(entries, key=first_date)
    for (before, before_line), (after, after_line) in pairwise(ordered):
        same = [before[name] for name in names] == [after[name] for name in names]
        if same and _end(before) >= _start(after):
            thing = " of ".join(f"{name.removesuffix('_id')} {after[name]!r}" for name in reversed(names))
            raise RegistryError(
                f"{key}, line {max(before_line, after_line)}: the dates of {thing} "
                f"overlap those of line {min(before_line, after_line)}."
            )


def _start(row: Row) -> date:
    return row["valid_from"] if isinstance(row["valid_from"], date) else date.min


def _end(row: Row) -> date:
    return row["valid_to"] if isinstance(row["valid_to"], date) else date.max


_ReadRow = Callable[[dict[str, str], Collection[str]], Row]

# file name: columns that must be there, how a row is read, which columns are its key
_FILES: dict[str, tuple[tuple[str, ...], _ReadRow, tuple[str, ...]]] = {
    "sites.csv": (("site_id", "name", "timezone"), _site, ("site_id",)),
    "shifts.csv": (
        ("site_id", "shift_id", "start_local", "duration_minutes"),
        _shift,
        ("site_id", "shift_id", "valid_from", "valid_to"),
    ),
    "workers.csv": (("site_id", "worker_id", "name"), _worker, ("site_id", "worker_id")),
    "workstations.csv": (
        ("site_id", "workstation_id", "name", "station_type"),
        _workstation,
        ("site_id", "workstation_id"),
    ),
    "targets.csv": (
        ("site_id", "workstation_id", "shift_id", "units_per_hour"),
        _target,
        ("site_id", "workstation_id", "shift_id", "valid_from", "valid_to"),
    ),
    "baselines.csv": (("site_id",), _baseline, ("site_id",)),
}

# files whose rows hold for a range of dates, and what it is that has only one such row at a time
_DATED = {"shifts.csv": ("site_id", "shift_id"), "targets.csv": ("site_id", "workstation_id", "shift_id")}
