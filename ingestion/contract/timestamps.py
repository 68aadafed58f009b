"""Reads a timestamp as an instant (contract §2), or says which part of the text is wrong and what was expected.

Reads no clock: the caller decides whether an instant is too early or too late.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

EXAMPLE = "2026-01-15T10:15:00+01:00"

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]+))?)?(?:([Zz])|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_OFFSETS = "expected Z, or an offset such as +01:00, +0100 or +01"


class BadTimestamp(ValueError):
    """The text is not a timestamp; the message says which part is wrong."""


class NoOffset(ValueError):
    """The text has no offset: a local time in an unknown zone."""


def instant(text: str) -> datetime | None:
    """ISO 8601 with an offset, as UTC; digits finer than microseconds are cut. Returns None before year 1 and after
    year 9999.

    Raises:
        BadTimestamp: the format is wrong, or there is no such date, time or offset.
        NoOffset: only the offset is missing.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise BadTimestamp(_wrong_part(text))
    year, month, day, hour, minute, second, fraction, zulu, sign, offset_hours, offset_minutes = match.groups()
    offset_hours, offset_minutes = offset_hours or "0", offset_minutes or "0"
    if int(offset_hours) > 23 or int(offset_minutes) > 59:
        raise BadTimestamp("its offset is more than 23:59")
    try:
        date(int(year) or 400, int(month), int(day))  # year 0 has the calendar of year 400, so the date exists
    except ValueError as error:
        raise BadTimestamp(f"no calendar has the date {year}-{month}-{day}") from error
    for name, digits, highest in (("hour", hour, 23), ("minute", minute, 59), ("second", second or "0", 59)):
        if int(digits) > highest:
            raise BadTimestamp(f"its {name} is {digits}; expected 00 to {highest}")
    if zulu is None and sign is None:
        raise NoOffset
    clock = timedelta(
        hours=int(hour),
        minutes=int(minute),
        seconds=int(second or "0"),
        microseconds=int((fraction or "0")[:6].ljust(6, "0")),
    )
    offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
    try:
        return datetime(int(year), int(month), int(day), tzinfo=UTC) + clock + (offset if sign == "-" else -offset)
    except (ValueError, OverflowError):
        return None


def _wrong_part(text: str) -> str:
    """The first wrong part of a text that is not a timestamp."""
    if text != text.strip():
        return f"a blank stands {'before' if text[:1].isspace() else 'behind'} it"
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        if written := re.match(r"[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}(?![0-9])", text):
            return f"its date is written {written.group()}; expected YYYY-MM-DD with all digits, as in 2026-01-05"
        return "it does not begin with a date; expected YYYY-MM-DD"
    between, time = text[10:11], text[11:]
    if not between:
        return "it has no time of day; expected a T and HH:MM or HH:MM:SS behind the date"
    if between not in "Tt ":
        return f"{_shown(between)} stands between date and time; expected a T or one blank"
    return _wrong_time(time)


# Common mistakes in HH:MM:SS.fraction, in the order in which they are checked.
_WRONG_TIMES = (
    (r"\s", "more than one blank stands between date and time"),
    (r"(?![0-9]{2}:[0-9]{2})[0-9]{1,2}:[0-9]{1,2}(?![0-9])", "its hour or minute has one digit; expected 09:05"),
    (r"(?![0-9]{2}:[0-9]{2})", "its time of day is not written as HH:MM or HH:MM:SS"),
    (r".{5}:(?![0-9]{2}(?![0-9]))", "its seconds have not two digits"),
    (r".{5}(:..)?,", "a comma stands before the fraction of the second; expected a point"),
    (r".{5}(\.|:..\.(?![0-9]))", "its fraction of a second is not written as in 10:15:00.250"),
)


def _wrong_time(time: str) -> str:
    for pattern, words in _WRONG_TIMES:
        if re.match(pattern, time, re.DOTALL):
            return words
    return _wrong_offset(re.sub(r"^.{5}(:[0-9]{2}(\.[0-9]+)?)?", "", time))


def _wrong_offset(rest: str) -> str:
    if rest[:1].isspace():
        return f"a blank stands before the offset; {_OFFSETS}"
    if rest[:1] in ("+", "-"):
        return f"its offset is written {_shown(rest)}; {_OFFSETS}"
    return f"{_shown(rest)} stands behind the time; {_OFFSETS}"


def _shown(text: str) -> str:
    return f'"{text if len(text) <= 20 else text[:20] + "…"}"'
