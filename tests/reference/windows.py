"""Contract §4: the window of its site that an instant belongs to, by the clock or for a person with an arrival."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from tests.reference.plant import Registry
from tests.reference.zones import HOUR, SECOND, changes_of_year, local_date, local_midnight, local_time, to_utc, year_of

UNSCHEDULED = "unscheduled"
DATES_AROUND = 3  # a window lasts at most a day, and local time differs from UTC by less than a day
LOOKED_BACK = 16 * HOUR
PAUSE = 6 * HOUR


@dataclass(frozen=True)
class Window:
    """A span of time [started_at, ended_at) in microseconds. An unscheduled window is one gap between shifts."""

    shift_date: date
    shift_id: str
    started_at: int
    ended_at: int
    is_scheduled: bool = True


def arrival(instants: list[int], instant: int) -> int:
    """The arrival, as of `instant`, of a person who was seen at `instants`."""
    recent = sorted(one for one in instants if instant - LOOKED_BACK <= one <= instant)
    arrived = recent[0] if recent else instant
    for before, after in pairwise(recent):
        if after - before >= PAUSE:
            arrived = after
    return arrived


class Calendar:
    """The windows of one site. Those of a date are computed once, at the first question about an instant near it."""

    def __init__(self, registry: Registry, site_id: str) -> None:
        self.zone = registry.timezone_of(site_id)
        self.shifts = registry.shifts_of(site_id)
        self.by_date: dict[date, list[Window]] = {}

    def scheduled_on(self, day: date) -> list[Window]:
        """A window ends by the local clock. A window whose end is not after its start does not exist."""
        if day not in self.by_date:
            self.by_date[day] = []
            for shift in self.shifts:
                if shift.is_valid_on(day):
                    start_local = local_time(day, shift.start_local)
                    started_at = to_utc(self.zone, start_local)
                    ended_at = to_utc(self.zone, start_local + shift.duration_minutes * 60 * SECOND)
                    if started_at < ended_at:
                        self.by_date[day].append(Window(day, shift.shift_id, started_at, ended_at))
        return self.by_date[day]

    def days_around(self, instant: int) -> list[date]:
        today = local_date(self.zone, instant)
        return [today + timedelta(days=days) for days in range(-DATES_AROUND, DATES_AROUND + 1)]

    def scheduled_around(self, instant: int) -> list[Window]:
        return [window for day in self.days_around(instant) for window in self.scheduled_on(day)]

    def window_of(self, instant: int, arrived_at: int | None = None) -> Window:
        """The window of an instant: by the clock, or for a person with an arrival."""
        holding = [w for w in self.scheduled_around(instant) if w.started_at <= instant < w.ended_at]
        if not holding:
            return self.gap_of(instant)
        holding.sort(key=lambda w: w.shift_date, reverse=True)
        holding.sort(key=lambda w: w.shift_id)
        holding.sort(key=lambda w: w.started_at, reverse=True)
        if arrived_at is not None:
            holding.sort(key=lambda w: max(arrived_at - w.started_at, 3 * (w.started_at - arrived_at)))
        return holding[0]

    def gap_of(self, instant: int) -> Window:
        midnights = {to_utc(self.zone, local_midnight(day)): day for day in self.days_around(instant)}
        cuts = self.cuts_around(instant)
        midnight = max(cut for cut in midnights if cut <= instant)
        started_at, ended_at = max(cut for cut in cuts if cut <= instant), min(cut for cut in cuts if cut > instant)
        return Window(midnights[midnight], UNSCHEDULED, started_at, ended_at, is_scheduled=False)

    def cuts_around(self, instant: int) -> set[int]:
        """All instants near `instant` at which a window may begin or end."""
        midnights = {to_utc(self.zone, local_midnight(day)) for day in self.days_around(instant)}
        scheduled = self.scheduled_around(instant)
        return {*midnights, *(edge for window in scheduled for edge in (window.started_at, window.ended_at))}

    def by_the_clock(self, started_at: int, ended_at: int) -> list[tuple[Window, int, int]]:
        """A stretch of time in pieces, each with its window by the clock."""
        pieces = []
        while started_at < ended_at:
            end = min(ended_at, *(cut for cut in self.cuts_around(started_at) if cut > started_at))
            pieces.append((self.window_of(started_at), started_at, end))
            started_at = end
        return pieces

    def clock_time(self, window: Window) -> list[tuple[int, int]]:
        """The instants that belong to a window by the clock."""
        pieces = self.by_the_clock(window.started_at, window.ended_at)
        return [(start, end) for owner, start, end in pieces if owner == window]

    def hour_of(self, instant: int) -> int:
        """The instant at which the local hour began, computed from the local time past the full hour."""
        return instant - self.shown(instant) % HOUR

    def shown(self, instant: int) -> int:
        offsets = [offset for since, offset in changes_of_year(self.zone, year_of(instant)) if since <= instant]
        return instant + offsets[-1]

    def by_the_hour(self, started_at: int, ended_at: int) -> list[tuple[int, int, int]]:
        """A stretch of time in pieces, each with its local hour."""
        changes = {since for year in (year_of(started_at), year_of(ended_at)) for since, _ in self.changes(year)}
        pieces = []
        while started_at < ended_at:
            hour = self.hour_of(started_at)
            end = min(ended_at, hour + HOUR, *(since for since in changes if since > started_at))
            pieces.append((hour, started_at, end))
            started_at = end
        return pieces

    def changes(self, year: int) -> tuple[tuple[int, int], ...]:
        return changes_of_year(self.zone, year)
