"""Who was seen where: for how long a worker's events vouch that they were seen, and what they did at each station."""

from collections.abc import Iterable
from itertools import pairwise

from tests.reference.groups import (
    PlacedEvent,
    Row,
    grouped,
    moment,
    per_hour,
    ratio,
    seconds,
    time_in,
    units_of,
    window_key,
)
from tests.reference.intervals import STATES, Interval, microseconds
from tests.reference.plant import Registry, Settings

Vouched = list[tuple[PlacedEvent, int]]


def vouched_time(events: Iterable[PlacedEvent], settings: Settings) -> Vouched:
    """Each event with the microseconds until the worker's next one, at most LAST_EVENT_MINUTES, within the window."""
    found = []
    for (_, _, window), own in grouped(events, lambda each: (each[0].site_id, each[0].worker_id, each[1])).items():
        own.sort(key=lambda each: (each[0].at, each[0].confidence, each[0].workstation_id.encode(), each[0].event_type))
        ends = [after.at for _, (after, _) in pairwise(own)] + [window.ended_at]
        for placed, end in zip(own, ends, strict=True):
            found.append((placed, min(end - placed[0].at, microseconds(settings.last_event_minutes))))
    return found


def scheduled_time(placed: PlacedEvent) -> int | None:
    """The window's length; unscheduled time has none of its own."""
    window = placed[1]
    return window.ended_at - window.started_at if window.is_scheduled else None


def worker_station_shifts(vouched: Vouched, intervals: list[Interval], registry: Registry) -> list[Row]:
    by_pair = grouped(
        intervals, lambda each: (*window_key(each.event, each.window), each.event.worker_id, each.event.workstation_id)
    )
    rows = []
    for key, own in grouped(
        vouched, lambda each: (*window_key(*each[0]), each[0][0].worker_id, each[0][0].workstation_id)
    ).items():
        site_id, shift_date, shift_id, worker_id, workstation_id = key
        active, idle, absent = (time_in(by_pair[key], state) for state in STATES)
        events = [placed for placed, _ in own]
        observed = sum(duration for _, duration in own)
        units = units_of(events)
        rows.append(
            {
                "site_id": site_id,
                "shift_date": shift_date,
                "shift_id": shift_id,
                "worker_id": worker_id,
                "worker_name": registry.workers.get((site_id, worker_id), worker_id),
                "workstation_id": workstation_id,
                "workstation_name": registry.workstations.get((site_id, workstation_id), (workstation_id, None))[0],
                "active_seconds": seconds(active),
                "idle_seconds": seconds(idle),
                "absent_seconds": seconds(absent),
                "present_seconds": seconds(active + idle),
                "units": units,
                "units_per_active_hour": per_hour(units, active),
                "event_count": len(own),
                "first_event_at": moment(min(event.at for event, _ in events)),
                "last_event_at": moment(max(event.at for event, _ in events)),
                "observed_seconds": seconds(observed),
                "coverage": ratio(observed, scheduled_time(events[0])),
            }
        )
    return rows
