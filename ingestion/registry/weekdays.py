"""The column `weekdays` of shifts and targets: its normalised form, and whether two rows can apply to one date."""

from __future__ import annotations

import re
from datetime import date, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")  # what spreadsheets make of a hyphen


def read_weekdays(text: str) -> str | None:
    """The days from Monday on, separated by commas (`mon,tue,sat`); None for every day.

    Raises:
        ValueError: the text is not a list of days and ranges of days.
    """
    named: set[int] = set()
    for part in re.split(r"[,;\s]+", text.strip().lower().translate(_DASHES)):
        if not part:
            continue
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(part)
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % 7 if dash else 0
        named |= {(start + number) % 7 for number in range(length + 1)}
    if len(named) in (0, 7):
        return None
    return ",".join(DAYS[number] for number in sorted(named))


def is_on(weekdays: str | None, day: date) -> bool:
    """Whether a row with these weekdays applies to a date."""
    return weekdays is None or DAYS[day.weekday()] in weekdays.split(",")


def share_a_date(one: str | None, other: str | None, first: date, last: date) -> bool:
    """Whether rows with these weekdays both apply to some date from `first` to `last`, inclusive."""
    span = min((last - first).days, 6)
    days = (first + timedelta(days=number) for number in range(span + 1))
    return any(is_on(one, day) and is_on(other, day) for day in days)
