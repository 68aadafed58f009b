"""Contract §4: to which window of its site an instant belongs, scheduled or unscheduled."""

from dataclasses import dataclass
from datetime import date, timedelta

from tests.reference.plant import Registry
from tests.reference.zones import SECOND, local_date, local_midnight, local_time, to_utc

UNSCHEDULED = "unscheduled"
DATES_AROUND = 3  # a window lasts a day at most and clocks differ from UTC by less than one


@dataclass(frozen=True)
class Window:
    """A span of time [started_at, ended_at) in microseconds; one gap between shifts when it is unscheduled."""

    shift_date: date
    shift_id: str
    started_at: int
    ended_at: int
    is_scheduled: bool = True


class Calendar:
    """The windows of one site. Those of each date are worked out once, when an instant near it is asked for."""

    def __init__(self, registry: Registry, site_id: str) -> None:
        self.zone = registry.timezone_of(site_id)
        self.shifts = registry.shifts_of(site_id)
        self.by_date: dict[date, list[Window]] = {}

    def scheduled_on(self, day: date) -> list[Window]:
        if day not in self.by_date:
            self.by_date[day] = []
            for shift in self.shifts:
                if shift.is_valid_on(day):
                    started_at = to_utc(self.zone, local_time(day, shift.start_local))
                    ended_at = started_at + shift.duration_minutes * 60 * SECOND
                    self.by_date[day].append(Window(day, shift.shift_id, started_at, ended_at))
        return self.by_date[day]

    def window_of(self, instant: int) -> Window:
        """The window that owns an instant."""
        today = local_date(self.zone, instant)
        days = [today + timedelta(days=days) for days in range(-DATES_AROUND, DATES_AROUND + 1)]
        scheduled = [window for day in days for window in self.scheduled_on(day)]
        around = [window for window in scheduled if window.started_at <= instant < window.ended_at]
        if around:
            last_start = max(window.started_at for window in around)
            started_last = [window for window in around if window.started_at == last_start]
            first_id = min(window.shift_id for window in started_last)
            return max(
                (window for window in started_last if window.shift_id == first_id),
                key=lambda window: window.shift_date,
            )
        midnights = {to_utc(self.zone, local_midnight(day)): day for day in days}
        cuts = {*midnights, *(edge for window in scheduled for edge in (window.started_at, window.ended_at))}
        started_at = max(cut for cut in cuts if cut <= instant)
        ended_at = min(cut for cut in cuts if cut > instant)
        midnight = max(cut for cut in midnights if cut <= instant)
        return Window(midnights[midnight], UNSCHEDULED, started_at, ended_at, is_scheduled=False)
