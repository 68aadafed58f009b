"""Describes briefly what a registry's new rows change.

Never names a person, because the description outlives erasure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingestion.registry.files import ALL_SITES, FILES, File, Row, key_of

_MOST = 6  # phrases; further changes are only counted
# The noun for the rows of a file, singular and plural.
_THINGS = {
    "sites.csv": ("site", "sites"),
    "shifts.csv": ("shift", "shifts"),
    "workers.csv": ("worker", "workers"),
    "workstations.csv": ("workstation", "workstations"),
    "targets.csv": ("target", "targets"),
    "cameras.csv": ("camera", "cameras"),
    "closures.csv": ("closure", "closures"),
    "accepted.csv": ("accepted change", "accepted changes"),
    "baselines.csv": ("baseline", "baselines"),
    "contacts.csv": ("contact", "contacts"),
    "booked.csv": ("booked count", "booked counts"),
    "released.csv": ("release", "releases"),
}
# Files that name persons: their changes are counted, not told.
OF_PERSONS = {"workers.csv": "renamed", "contacts.csv": "changed"}
# Files whose rows name things on the floor, which cameras still see after a row is removed.
_NAMING = ("workers.csv", "workstations.csv")
_UNITS = {"duration_minutes": " min", "units_per_hour": " an hour"}
# Columns whose values need no column name in a description.
_PLAIN = ("start_local", "duration_minutes", "timezone", "units_per_hour")
_BLANK = {"weekdays": "every day", "valid_from": "ever", "valid_to": "ever"}
_DEFAULTS = {"people": "named"}  # what an absent value means


def describe_change(name: str, before: Sequence[Row], after: Sequence[Row], *, would: bool) -> str:
    """The difference as phrases separated by commas, empty if there is none. `would`: the change is not in effect."""
    file = FILES[name]
    old, new = ({key_of(file, row): row for row in rows} for rows in (before, after))
    pairs = [(old[key], new[key]) for key in old if key in new and not _same(old[key], new[key])]
    gone, come = [old[key] for key in old if key not in new], [new[key] for key in new if key not in old]
    if file.dated:  # a new range of dates for the same thing counts as a change of it
        pairs += _take_pairs(file, gone, come)
    one, many = _THINGS[name]
    phrases: list[str] = []
    if gone:
        become = "would become" if would else "became"
        fate = f"{become} unregistered" if name in _NAMING else "gone"
        phrases.append(f"{len(gone)} of {len(old)} {many} {fate}{_dates(name, gone)}")
    if name in OF_PERSONS:
        phrases += [_counted(len(pairs), one, many, OF_PERSONS[name])] if pairs else []
    else:
        phrases += [_difference(file, pair, {str(row["site_id"]) for row in (*before, *after)}) for pair in pairs]
    if come:
        phrases.append(_counted(len(come), one, many, "added") + _dates(name, come))
    shown, left = phrases[:_MOST], len(phrases) - _MOST
    return ", ".join(shown) + (f" and {left} more changes" if left > 0 else "")


def describe_count(name: str, count: int) -> str:
    """`40 workers`, `1 site`."""
    one, many = _THINGS[name]
    return f"{count:,} {one if count == 1 else many}"


def _counted(count: int, one: str, many: str, what: str) -> str:
    return f"{count:,} {one if count == 1 else many} {what}"


def _dates(name: str, rows: Sequence[Row]) -> str:
    """The dates of closures in brackets; empty for other files."""
    if name != "closures.csv":
        return ""
    ranges = sorted({(str(row["from_date"]), str(row["to_date"])) for row in rows})
    shown = [first if first == last else f"{first} to {last}" for first, last in ranges[:_MOST]]
    more = [f"{len(ranges) - _MOST} more"] if len(ranges) > _MOST else []
    return f" ({'; '.join([*shown, *more])})"


def _take_pairs(file: File, gone: list[Row], come: list[Row]) -> list[tuple[Row, Row]]:
    """Remove from both lists the pairs of an old and a new row for one thing, and return them."""
    pairs: list[tuple[Row, Row]] = []
    for row in list(gone):
        thing = [row[column] for column in file.dated]
        other = next((each for each in come if [each[column] for column in file.dated] == thing), None)
        if other is not None:
            gone.remove(row)
            come.remove(other)
            pairs.append((row, other))
    return pairs


def _same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return all(_value(column, one) == _value(column, other) for column in {*one, *other})


def _difference(file: File, pair: tuple[Row, Row], sites: set[str]) -> str:
    before, after = pair
    identity = file.dated or file.key
    parts = [str(before[column]) for column in identity if column != "site_id"]
    site = str(before["site_id"])
    if not parts:
        parts = [site]
    elif site != ALL_SITES and len(sites) > 1:
        parts.append(f"of {site}")
    columns = [
        column for column in file.columns if column not in identity and _value(column, before) != _value(column, after)
    ]
    differences = [
        f"{'' if column in _PLAIN else column.replace('_', ' ') + ' '}{_text(column, before)} → {_text(column, after)}"
        f"{_UNITS.get(column, '')}"
        for column in columns
    ]
    return " ".join([*parts, " and ".join(differences)])


def _value(column: str, row: Mapping[str, object]) -> object:
    value = row.get(column)
    return _DEFAULTS.get(column) if value is None else value


def _text(column: str, row: Row) -> str:
    value = _value(column, row)
    if value is None:
        return _BLANK.get(column, "nothing")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
