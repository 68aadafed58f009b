"""The content allowed in each registry file (contract §1 and §4): its columns, its key, and the rules for one row.

The dbt project, not this module, derives windows from a shift calendar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date

from ingestion.contract.events import DEFAULT_SITE, EVENT_TYPES
from ingestion.contract.identifiers import MAX_IDENTIFIER_LENGTH, BadIdentifier, identifier, trimmed
from ingestion.registry.timezones import suggested_timezone
from ingestion.registry.weekdays import read_weekdays, share_a_date

ALL_SITES = ALL_STATIONS = EVERY = "*"
UNSCHEDULED = "unscheduled"
MAX_DURATION_MINUTES = 1440
MAX_UNITS_PER_HOUR = 1_000_000
MAX_BOOKED_UNITS = 100_000_000

_SHORTENED_NUMBER = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2,3}")

Row = dict[str, object]


class BadValue(Exception):
    """The end of the sentence "<file>, line <n>: …"."""


@dataclass(frozen=True, slots=True)
class File:
    """A registry file: its required and optional columns, how a row is read, and its key.

    `read` returns a row's values by the contract's column names; for an optional column that the file lacks it returns
    no value or NULL. `texts` are the columns that may hold unquoted commas. Rows that share the `dated` columns must
    not apply to the same date. A file that `grows` gets rows every day: a content in force is not read again.
    """

    required: Sequence[str]
    optional: Sequence[str]
    read: Callable[[dict[str, str], Collection[str]], Row]
    key: Sequence[str]
    texts: Sequence[str] = ()
    dated: Sequence[str] = ()
    grows: bool = False

    @property
    def columns(self) -> Sequence[str]:
        """All columns that have a meaning."""
        return (*self.required, *self.optional)


def key_of(file: File, row: Row) -> tuple[object, ...]:
    """The key of a row; the last row of a key wins."""
    return tuple(row.get(column) for column in file.key)


def _identifier(cells: dict[str, str], column: str, default: str | None = None, *, may_be_every: bool = False) -> str:
    """A cell's id in its one form. `may_be_every`: the column may hold `*`, which stands for every id."""
    value = trimmed(cells[column])
    if not value and default is not None:
        return default
    if _SHORTENED_NUMBER.fullmatch(value):
        raise BadValue(
            f"{column} is {value!r}, a long number that a spreadsheet has shortened; expected all its digits"
        )
    try:
        one = identifier(value)
    except BadIdentifier as error:
        # the value itself shows what is wrong
        why = str(error) if value and len(value) <= MAX_IDENTIFIER_LENGTH else ""
        raise BadValue(
            f"{column} is {value!r}; expected a text of 1 to {MAX_IDENTIFIER_LENGTH} characters{why}"
        ) from error
    if one == EVERY and not may_be_every:
        thing = column.removesuffix("_id")
        raise BadValue(f"{column} is '*', which does not stand for every {thing} here; expected the id of one {thing}")
    return one


def _site(cells: dict[str, str], timezones: Collection[str]) -> Row:
    timezone = cells["timezone"]
    if timezone not in timezones:
        raise BadValue(
            f"timezone is {timezone!r}; expected an IANA name such as {suggested_timezone(timezone, timezones)}"
        )
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "name": trimmed(cells["name"]) or None,
        "timezone": timezone,
        **({"people": _choice(cells, "people", ("named", "none"))} if "people" in cells else {}),
    }


def _worker(cells: dict[str, str], _: Collection[str]) -> Row:
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "worker_id": _identifier(cells, "worker_id"),
        "name": trimmed(cells["name"]) or None,
    }


def _workstation(cells: dict[str, str], _: Collection[str]) -> Row:
    row: Row = {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "workstation_id": _identifier(cells, "workstation_id"),
        "name": trimmed(cells["name"]) or None,
        "station_type": trimmed(cells["station_type"]) or None,
    }
    if "line" in cells:
        row["line"] = _identifier(cells, "line") if trimmed(cells["line"]) else None
    return row


# How far the sum of a baseline's shares may be from 1: people write two digits.
_SUM_TOLERANCE = 0.005


def _baseline(cells: dict[str, str], _: Collection[str]) -> Row:
    """A site's expected event mix: four shares, or the past period of the site to learn them from."""
    site = cells["site_id"] or ALL_SITES
    row: Row = {"site_id": site if site == ALL_SITES else _identifier(cells, "site_id")}
    first, last = _date(cells, "reference_from"), _date(cells, "reference_to")
    given = [cells.get(kind, "") for kind in EVENT_TYPES]
    if (first or last) and any(given):
        raise BadValue("both shares and a reference period are given; expected one of them")
    if first or last:
        if first is None or last is None or last < first:
            raise BadValue("reference_from and reference_to are not a period; expected its first and last date")
        return {**row, **dict.fromkeys(EVENT_TYPES), "reference_from": first, "reference_to": last}
    shares: list[float] = []
    for kind, text in zip(EVENT_TYPES, given, strict=True):
        if not re.fullmatch(r"0|1|[01]?\.[0-9]{1,6}", text) or not 0 < float(text) < 1:
            raise BadValue(f"{kind} is {text!r}; expected a share above 0 and below 1")
        shares.append(float(text))
    if abs(sum(shares) - 1) > _SUM_TOLERANCE:
        raise BadValue(f"the four shares add up to {sum(shares):g}; expected 1")
    return {
        **row,
        **{kind: share / sum(shares) for kind, share in zip(EVENT_TYPES, shares, strict=True)},
        "reference_from": None,
        "reference_to": None,
    }


def _camera(cells: dict[str, str], _: Collection[str]) -> Row:
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "camera_id": _identifier(cells, "camera_id"),
        "workstation_id": _identifier(cells, "workstation_id", ALL_STATIONS, may_be_every=True),
        "counts": _choice(cells, "counts", ("yes", "no")) == "yes",
        "states": _choice(cells, "states", ("yes", "no")) == "yes",
        **_valid_dates(cells),
    }


def _choice(cells: dict[str, str], column: str, allowed: Sequence[str]) -> str:
    """One of the allowed words in any letter case; the first of them if the cell is blank."""
    value = cells[column].lower() or allowed[0]
    if value not in allowed:
        raise BadValue(f"{column} is {cells[column]!r}; expected {' or '.join(allowed)}, or nothing for {allowed[0]}")
    return value


def _closure(cells: dict[str, str], _: Collection[str]) -> Row:
    first, last = _date(cells, "from_date"), _date(cells, "to_date")
    if first is None or last is None:
        raise BadValue(f"{'to_date' if first else 'from_date'} is ''; expected a date YYYY-MM-DD")
    if last < first:
        raise BadValue(f"to_date is {last.isoformat()!r}, before from_date {first.isoformat()!r}")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE, may_be_every=True),
        "from_date": first,
        "to_date": last,
        "reason": trimmed(cells["reason"]) or None,
    }


# What accepted.csv can accept: metrics that compare a camera with its own weeks before.
ACCEPTABLE = ("confidence_drift", "event_mix_drift", "volume", "silence", "lateness")


def _accepted(cells: dict[str, str], _: Collection[str]) -> Row:
    """A changed level that counts as normal from a date on, with the role that says so."""
    metric = re.sub(r"[ -]+", "_", cells["metric"].lower())
    if metric not in ACCEPTABLE:
        raise BadValue(f"metric is {cells['metric']!r}; expected one of {', '.join(ACCEPTABLE)}")
    from_date = _date(cells, "from_date")
    if from_date is None:
        raise BadValue("from_date is ''; expected a date YYYY-MM-DD")
    who, reason = trimmed(cells["who"]), trimmed(cells["reason"])
    if not who or len(who) > MAX_IDENTIFIER_LENGTH:
        raise BadValue(f"who is {cells['who']!r}; expected a role of 1 to {MAX_IDENTIFIER_LENGTH} characters")
    if not reason:
        raise BadValue("reason is ''; expected why this level is normal")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "camera_id": _identifier(cells, "camera_id", ""),
        "metric": metric,
        "from_date": from_date,
        "who": who,
        "reason": reason,
    }


# The losses that a contact can be for.
CAUSES = ("not_seen", "unstaffed", "idle", "slow")


def _contact(cells: dict[str, str], _: Collection[str]) -> Row:
    """Whom to call, for a site or for one line, station or cause of loss."""
    cause = re.sub(r"[ -]+", "_", cells.get("cause", "").lower())
    if cause and cause not in CAUSES:
        raise BadValue(f"cause is {cells['cause']!r}; expected one of {', '.join(CAUSES)}, or nothing for every cause")
    name, phone = trimmed(cells["name"]), trimmed(cells.get("phone", ""))
    if not name or len(name) > MAX_IDENTIFIER_LENGTH:
        raise BadValue(
            f"name is {cells['name']!r}; expected a role or a name of 1 to {MAX_IDENTIFIER_LENGTH} characters"
        )
    if len(phone) > MAX_IDENTIFIER_LENGTH:
        raise BadValue(f"phone is {phone!r}; expected at most {MAX_IDENTIFIER_LENGTH} characters")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE, may_be_every=True),
        "line": _identifier(cells, "line") if trimmed(cells.get("line", "")) else None,
        "workstation_id": _identifier(cells, "workstation_id") if trimmed(cells.get("workstation_id", "")) else None,
        "cause": cause or None,
        "name": name,
        "phone": phone or None,
    }


def _booked(cells: dict[str, str], _: Collection[str]) -> Row:
    """What the plant booked as made at a station, or at the whole site, in one shift."""
    shift_id = _identifier(cells, "shift_id")
    if shift_id == UNSCHEDULED:
        raise BadValue(f"shift_id is {shift_id!r}; time outside of all shifts is not booked")
    shift_date = _date(cells, "shift_date")
    if shift_date is None:
        raise BadValue("shift_date is ''; expected a date YYYY-MM-DD")
    units = re.fullmatch(r"([0-9]{1,9})(?:\.0{1,2})?", cells["units"], flags=re.ASCII)
    if units is None or int(units[1]) > MAX_BOOKED_UNITS:
        raise BadValue(f"units is {cells['units']!r}; expected a whole number from 0 to {MAX_BOOKED_UNITS}")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "workstation_id": _identifier(cells, "workstation_id", ALL_STATIONS, may_be_every=True),
        "shift_date": shift_date,
        "shift_id": shift_id,
        "units": int(units[1]),
    }


def _released(cells: dict[str, str], _: Collection[str]) -> Row:
    """A station whose counts a role relies on."""
    who = trimmed(cells["who"])
    if not who or len(who) > MAX_IDENTIFIER_LENGTH:
        raise BadValue(f"who is {cells['who']!r}; expected a role of 1 to {MAX_IDENTIFIER_LENGTH} characters")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "workstation_id": _identifier(cells, "workstation_id", ALL_STATIONS, may_be_every=True),
        "who": who,
        "reason": trimmed(cells.get("reason", "")) or None,
    }


def _shift(cells: dict[str, str], _: Collection[str]) -> Row:
    shift_id = _identifier(cells, "shift_id")
    if shift_id == UNSCHEDULED:
        raise BadValue(f"shift_id is {shift_id!r}, which is reserved for time outside of all shifts")
    start = _time_of_day(cells["start_local"])
    duration = cells["duration_minutes"]
    if not re.fullmatch(r"[0-9]{1,6}", duration) or not 1 <= int(duration) <= MAX_DURATION_MINUTES:
        raise BadValue(f"duration_minutes is {duration!r}; expected a whole number from 1 to {MAX_DURATION_MINUTES}")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE, may_be_every=True),
        "shift_id": shift_id,
        "start_local": start,
        "duration_minutes": int(duration),
        **_valid_dates(cells),
    }


def _target(cells: dict[str, str], _: Collection[str]) -> Row:
    shift_id = _identifier(cells, "shift_id", may_be_every=True)
    if shift_id == UNSCHEDULED:
        raise BadValue(f"shift_id is {shift_id!r}; time outside of all shifts has no target")
    rate = cells["units_per_hour"]
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", rate) or not 0 < float(rate) <= MAX_UNITS_PER_HOUR:
        raise BadValue(f"units_per_hour is {rate!r}; expected a number above 0, at most {MAX_UNITS_PER_HOUR}")
    return {
        "site_id": _identifier(cells, "site_id", DEFAULT_SITE),
        "workstation_id": _identifier(cells, "workstation_id"),
        "shift_id": shift_id,
        "units_per_hour": float(rate),
        **_valid_dates(cells),
    }


def _time_of_day(text: str) -> str:
    """HH:MM, also if a spreadsheet removed the leading zero or added seconds."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::00)?", text, flags=re.ASCII)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise BadValue(f"start_local is {text!r}; expected HH:MM from 00:00 to 23:59")
    return f"{int(found[1]):02}:{found[2]}"


def _valid_dates(cells: dict[str, str]) -> Row:
    """The optional columns valid_from and valid_to, both inclusive, and weekdays."""
    valid_from, valid_to = _date(cells, "valid_from"), _date(cells, "valid_to")
    if valid_from and valid_to and valid_to < valid_from:
        raise BadValue(f"valid_to is {valid_to.isoformat()!r}, before valid_from {valid_from.isoformat()!r}")
    row: Row = {"valid_from": valid_from, "valid_to": valid_to}
    if "weekdays" in cells:
        try:
            row["weekdays"] = read_weekdays(cells["weekdays"])
        except ValueError as error:
            raise BadValue(
                f"weekdays is {cells['weekdays']!r}; expected days from mon to sun and ranges such as mon-fri"
            ) from error
    return row


def _date(cells: dict[str, str], column: str) -> date | None:
    value = cells.get(column, "")
    if not value:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, flags=re.ASCII):
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError as error:
        raise BadValue(f"{column} is {value!r}; expected a date YYYY-MM-DD or nothing") from error


def first_overlap(file: File, entries: Sequence[tuple[Row, int]]) -> tuple[int, str] | None:
    """The first line whose dates overlap those of an earlier line for the same thing, with a message; else None."""
    found: list[tuple[int, int, Row]] = []
    open_rows: dict[tuple[object, ...], list[tuple[Row, int]]] = {}
    for row, line in sorted(entries, key=lambda entry: _start(entry[0])):
        thing = tuple(row[name] for name in file.dated)
        same = [entry for entry in open_rows.get(thing, []) if _end(entry[0]) >= _start(row)]
        found += [(max(line, other), min(line, other), row) for before, other in same if _meet(before, row)]
        open_rows[thing] = [*same, (row, line)]
    if not found:
        return None
    line, earlier, row = min(found, key=lambda each: each[:2])
    subject = " of ".join(f"{name.removesuffix('_id')} {row[name]!r}" for name in reversed(file.dated))
    return line, f"the dates of {subject} overlap those of line {earlier}"


def _meet(one: Row, other: Row) -> bool:
    first, last = max(_start(one), _start(other)), min(_end(one), _end(other))
    of_one, of_other = (None if row.get("weekdays") is None else str(row["weekdays"]) for row in (one, other))
    return first <= last and share_a_date(of_one, of_other, first, last)


def _start(row: Row) -> date:
    return row["valid_from"] if isinstance(row["valid_from"], date) else date.min


def _end(row: Row) -> date:
    return row["valid_to"] if isinstance(row["valid_to"], date) else date.max


_DATES = ("valid_from", "valid_to", "weekdays")
# Columns with a strict format, which reject a value that was shifted into them.
CHECKED = {
    *(
        "timezone",
        "people",
        "cause",
        "start_local",
        "duration_minutes",
        "units_per_hour",
        "metric",
        "from_date",
        "to_date",
        "shift_date",
        "units",
    ),
    *_DATES,
}

FILES: dict[str, File] = {
    "sites.csv": File(("site_id", "name", "timezone"), ("people",), _site, ("site_id",), texts=("name",)),
    "shifts.csv": File(
        ("site_id", "shift_id", "start_local", "duration_minutes"),
        _DATES,
        _shift,
        ("site_id", "shift_id", *_DATES),
        texts=("weekdays",),
        dated=("site_id", "shift_id"),
    ),
    "workers.csv": File(("site_id", "worker_id", "name"), (), _worker, ("site_id", "worker_id"), texts=("name",)),
    "workstations.csv": File(
        ("site_id", "workstation_id", "name", "station_type"),
        ("line",),
        _workstation,
        ("site_id", "workstation_id"),
        texts=("name",),
    ),
    "targets.csv": File(
        ("site_id", "workstation_id", "shift_id", "units_per_hour"),
        _DATES,
        _target,
        ("site_id", "workstation_id", "shift_id", *_DATES),
        texts=("weekdays",),
        dated=("site_id", "workstation_id", "shift_id"),
    ),
    "cameras.csv": File(
        ("site_id", "camera_id", "workstation_id", "counts", "states"),
        ("valid_from", "valid_to"),
        _camera,
        ("site_id", "camera_id", "workstation_id", "valid_from", "valid_to"),
        dated=("site_id", "camera_id", "workstation_id"),
    ),
    "closures.csv": File(
        ("site_id", "from_date", "to_date", "reason"),
        (),
        _closure,
        ("site_id", "from_date", "to_date"),
        texts=("reason",),
    ),
    "accepted.csv": File(
        ("site_id", "camera_id", "metric", "from_date", "who", "reason"),
        (),
        _accepted,
        ("site_id", "camera_id", "metric", "from_date"),
        texts=("reason",),
    ),
    "contacts.csv": File(
        ("site_id", "name"),
        ("line", "workstation_id", "cause", "phone"),
        _contact,
        ("site_id", "line", "workstation_id", "cause", "name"),
        texts=("name",),
    ),
    "booked.csv": File(
        ("site_id", "workstation_id", "shift_date", "shift_id", "units"),
        (),
        _booked,
        ("site_id", "workstation_id", "shift_date", "shift_id"),
        grows=True,
    ),
    "released.csv": File(
        ("site_id", "workstation_id", "who"),
        ("reason",),
        _released,
        ("site_id", "workstation_id"),
        texts=("reason",),
    ),
    "baselines.csv": File(("site_id",), (*EVENT_TYPES, "reference_from", "reference_to"), _baseline, ("site_id",)),
}

# What a column holds that is no text, as the warehouse stores it.
_SQL_TYPES = {
    "duration_minutes": "integer",
    "units_per_hour": "double",
    **dict.fromkeys(("counts", "states"), "boolean"),
    "units": "bigint",
    "shift_date": "date",
    **dict.fromkeys(("valid_from", "valid_to", "from_date", "to_date", "reference_from", "reference_to"), "date"),
    **dict.fromkeys(EVENT_TYPES, "double"),
}


def table_of(name: str) -> str:
    """The table of the schema `raw` that holds the rows in force of a registry file."""
    return name.removesuffix(".csv")


def sql_columns(file: File) -> str:
    """The file's columns as its table's definition lists them."""
    return ", ".join(f"{column} {_SQL_TYPES.get(column, 'varchar')}" for column in file.columns)
