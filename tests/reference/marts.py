"""Contract §6: the marts that are made of events, row for row. Nothing is stored and nothing is incremental.

Sums are kept in whole microseconds and turned into seconds once; means are taken in exact fractions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from tests.reference.cameras import camera_days, camera_events, shift_windows, sites
from tests.reference.groups import (
    PlacedEvent,
    Row,
    grouped,
    mean,
    moment,
    per_hour,
    quantile,
    ratio,
    seconds,
    time_in,
    units_of,
    window_key,
)
from tests.reference.intervals import STATES, Interval, state_intervals, without_duplicates
from tests.reference.observed import Vouched, scheduled_time, vouched_time, worker_station_shifts
from tests.reference.plant import Registry, Settings, Target
from tests.reference.reading import Event
from tests.reference.targets import hours_of, target_of, targeted_windows, units_asked
from tests.reference.windows import Calendar, Window
from tests.reference.zones import HOUR, local_date

KEYS = {
    "state_intervals": ("site_id", "worker_id", "started_at", "workstation_id", "state"),
    "worker_shifts": ("site_id", "shift_date", "shift_id", "worker_id"),
    "workstation_shifts": ("site_id", "shift_date", "shift_id", "workstation_id"),
    "site_shifts": ("site_id", "shift_date", "shift_id"),
    "hourly_output": ("site_id", "workstation_id", "hour", "shift_date", "shift_id"),
    "model_days": ("site_id", "event_date", "camera_id", "model_name", "model_version"),
    "worker_station_shifts": ("site_id", "shift_date", "shift_id", "worker_id", "workstation_id"),
    "camera_days": ("site_id", "event_date", "camera_id"),
    "shift_windows": ("site_id", "shift_date", "shift_id"),
    "sites": ("site_id",),
    "confidence_histograms": ("site_id", "event_date", "camera_id", "model_name", "model_version", "bin"),
}


def compute_marts(
    accepted: Iterable[Event], registry: Registry, settings: Settings, landed_at: datetime
) -> dict[str, list[Row]]:
    """Every mart of KEYS, its rows in the order of its key, for all accepted events of all objects.

    All of them landed at one instant, which says how late they were and which windows are complete.
    """
    accepted = list(accepted)
    calendars = {site_id: Calendar(registry, site_id) for site_id in {event.site_id for event in accepted}}
    events = [(event, calendars[event.site_id].window_of(event.at)) for event in without_duplicates(accepted)]
    intervals = state_intervals(events, settings)
    vouched = vouched_time(events, settings)
    windows = shift_windows(events, calendars, landed_at)
    marts = {
        "state_intervals": [interval_row(interval) for interval in intervals],
        "worker_shifts": worker_shifts(events, intervals, vouched, registry),
        "workstation_shifts": workstation_shifts(events, intervals, registry),
        "site_shifts": site_shifts(events, intervals, vouched),
        "hourly_output": hourly_output(events, intervals, registry),
        "model_days": model_days(accepted),
        "worker_station_shifts": worker_station_shifts(vouched, intervals, registry),
        "camera_days": camera_days(accepted, calendars, settings, landed_at),
        "shift_windows": windows,
        "sites": sites(accepted, windows, registry),
        "confidence_histograms": confidence_histograms(accepted),
    }
    return {mart: sorted(rows, key=lambda row: [row[name] for name in KEYS[mart]]) for mart, rows in marts.items()}


def interval_row(interval: Interval) -> Row:
    event, window = interval.event, interval.window
    return {
        "site_id": event.site_id,
        "shift_date": window.shift_date,
        "shift_id": window.shift_id,
        "worker_id": event.worker_id,
        "workstation_id": event.workstation_id,
        "state": event.event_type,
        "started_at": moment(interval.started_at),
        "ended_at": moment(interval.ended_at),
        "seconds": seconds(interval.duration),
        "end_reason": interval.end_reason,
        "confidence": event.confidence,
    }


def worker_shifts(
    events: list[PlacedEvent], intervals: list[Interval], vouched: Vouched, registry: Registry
) -> list[Row]:
    seen = grouped(vouched, lambda each: (*window_key(*each[0]), each[0][0].worker_id))
    by_worker = grouped(intervals, lambda each: (*window_key(each.event, each.window), each.event.worker_id))
    rows = []
    for key, own in grouped(events, lambda each: (*window_key(*each), each[0].worker_id)).items():
        site_id, shift_date, shift_id, worker_id = key
        active, idle, absent = (time_in(by_worker[key], state) for state in STATES)
        present = active + idle
        tracked = present + absent
        # A window of a shift is one and the same for all its events; unscheduled time has no length of its own.
        window = own[0][1]
        scheduled = window.ended_at - window.started_at if window.is_scheduled else None
        units = units_of(own)
        observed = sum(duration for _, duration in seen[key])
        rows.append(
            {
                "site_id": site_id,
                "shift_date": shift_date,
                "shift_id": shift_id,
                "worker_id": worker_id,
                "worker_name": registry.workers.get((site_id, worker_id), worker_id),
                "is_registered": (site_id, worker_id) in registry.workers,
                "active_seconds": seconds(active),
                "idle_seconds": seconds(idle),
                "absent_seconds": seconds(absent),
                "present_seconds": seconds(present),
                "tracked_seconds": seconds(tracked),
                "scheduled_seconds": None if scheduled is None else seconds(scheduled),
                "utilization": ratio(active, present),
                "attendance": ratio(present, tracked),
                "shift_utilization": ratio(active, scheduled),
                "units": units,
                "units_per_active_hour": per_hour(units, active),
                "units_per_present_hour": per_hour(units, present),
                "event_count": len(own),
                "observed_seconds": seconds(observed),
                "coverage": ratio(observed, scheduled),
            }
        )
    return rows


def workstation_shifts(events: list[PlacedEvent], intervals: list[Interval], registry: Registry) -> list[Row]:
    by_station = grouped(intervals, lambda each: (*window_key(each.event, each.window), each.event.workstation_id))
    rows = []
    for key, own in grouped(events, lambda each: (*window_key(*each), each[0].workstation_id)).items():
        site_id, shift_date, shift_id, workstation_id = key
        working, idle = (time_in(by_station[key], state) for state in ("working", "idle"))
        occupancy = working + idle
        name, station_type = registry.workstations.get((site_id, workstation_id), (workstation_id, None))
        units = units_of(own)
        target = target_of(registry, site_id, workstation_id, shift_id, shift_date)
        asked = units_asked(target, own[0][1].ended_at - own[0][1].started_at)
        rows.append(
            {
                "site_id": site_id,
                "shift_date": shift_date,
                "shift_id": shift_id,
                "workstation_id": workstation_id,
                "workstation_name": name,
                "station_type": station_type,
                "is_registered": (site_id, workstation_id) in registry.workstations,
                "working_seconds": seconds(working),
                "idle_seconds": seconds(idle),
                "occupancy_seconds": seconds(occupancy),
                "staffed_seconds": seconds(union_of_presence(by_station[key])),
                "utilization": ratio(working, occupancy),
                "units": units,
                "throughput_per_hour": per_hour(units, occupancy),
                "worker_count": len({event.worker_id for event, _ in own}),
                "target_units_per_hour": target.units_per_hour if target else None,
                "target_units": asked,
                "attainment": units / asked if asked else None,
            }
        )
    return rows


def union_of_presence(intervals: list[Interval]) -> int:
    """How long at least one worker was working or idle: wall-clock time."""
    covered_until = 0
    union = 0
    for interval in sorted(intervals, key=lambda each: each.started_at):
        if interval.event.event_type in ("working", "idle"):
            union += max(0, interval.ended_at - max(interval.started_at, covered_until))
            covered_until = max(covered_until, interval.ended_at)
    return union


def site_shifts(events: list[PlacedEvent], intervals: list[Interval], vouched: Vouched) -> list[Row]:
    seen = grouped(vouched, lambda each: window_key(*each[0]))
    by_window = grouped(intervals, lambda each: window_key(each.event, each.window))
    rows = []
    for key, own in grouped(events, lambda each: window_key(*each)).items():
        site_id, shift_date, shift_id = key
        productive = time_in(by_window[key], "working")
        utilizations = []
        for worker_intervals in grouped(by_window[key], lambda each: each.event.worker_id).values():
            present = time_in(worker_intervals, "working", "idle")
            if present:
                utilizations.append(Fraction(time_in(worker_intervals, "working"), present))
        units = units_of(own)
        observed = sum(duration for _, duration in seen[key])
        scheduled, workers = scheduled_time(own[0]), {event.worker_id for event, _ in own}
        rows.append(
            {
                "site_id": site_id,
                "shift_date": shift_date,
                "shift_id": shift_id,
                "productive_seconds": seconds(productive),
                "units": units,
                "units_per_productive_hour": per_hour(units, productive),
                "average_utilization": mean(utilizations),
                "worker_count": len(workers),
                "workstation_count": len({event.workstation_id for event, _ in own}),
                "observed_seconds": seconds(observed),
                "coverage": ratio(observed, scheduled * len(workers) if scheduled else None),
            }
        )
    return rows


def hourly_output(events: list[PlacedEvent], intervals: list[Interval], registry: Registry) -> list[Row]:
    """A row where something was counted (be it 0) or where somebody worked or idled for more than no time.

    And one for every hour of the windows in which a station has a target and any event.
    """
    measures: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: {"units": 0, "working": 0, "idle": 0})
    for event, window in events:
        if event.event_type == "product_count":
            measures[hour_key(event, window, event.at)]["units"] += event.count
    for interval in intervals:
        if interval.event.event_type == "absent":
            continue
        start = interval.started_at
        while start < interval.ended_at:
            end = min(interval.ended_at, (start // HOUR + 1) * HOUR)
            measures[hour_key(interval.event, interval.window, start)][interval.event.event_type] += end - start
            start = end
    asked: dict[tuple[Any, ...], tuple[Target, int]] = {}
    for (site_id, day, shift_id, station), (target, window) in targeted_windows(events, registry).items():
        for hour, duration in hours_of(window):
            asked[site_id, station, hour, day, shift_id] = (target, duration)
            measures[site_id, station, hour, day, shift_id]["units"] += 0
    rows = []
    made: dict[tuple[Any, ...], int] = defaultdict(int)
    scheduled: dict[tuple[Any, ...], int] = defaultdict(int)
    for key, own in sorted(measures.items()):
        site_id, workstation_id, hour, shift_date, shift_id = key
        window_of_station = (site_id, workstation_id, shift_date, shift_id)
        hour_target, duration = asked.get(key, (None, 0))
        made[window_of_station] += own["units"]
        scheduled[window_of_station] += duration
        so_far = units_asked(hour_target, scheduled[window_of_station])
        rows.append(
            {
                "site_id": site_id,
                "workstation_id": workstation_id,
                "hour": moment(hour),
                "shift_date": shift_date,
                "shift_id": shift_id,
                "units": own["units"],
                "working_seconds": seconds(own["working"]),
                "idle_seconds": seconds(own["idle"]),
                "target_units": units_asked(hour_target, duration),
                "cumulative_units": made[window_of_station],
                "cumulative_target_units": so_far,
                "cumulative_gap": None if so_far is None else made[window_of_station] - so_far,
            }
        )
    return rows


def hour_key(event: Event, window: Window, instant: int) -> tuple[str, str, int, date, str]:
    return event.site_id, event.workstation_id, instant // HOUR * HOUR, window.shift_date, window.shift_id


def confidence_histograms(accepted: list[Event]) -> list[Row]:
    """Bin by bin, by the bins' edges: none is worked out by rounding."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for event in camera_events(accepted):
        bins = [number for number in range(50) if event.confidence * 50 >= number]
        day = local_date("UTC", event.at)
        counts[event.site_id, day, event.camera_id, event.model_name, event.model_version, bins[-1]] += 1
    return [
        {**dict(zip(KEYS["confidence_histograms"], key, strict=True)), "event_count": n} for key, n in counts.items()
    ]


def model_days(accepted: list[Event]) -> list[Row]:
    """Of each duplicate key the most confident event per camera, model and version; nothing else is left out."""
    rows = []
    days = grouped(
        camera_events(accepted),
        lambda each: (each.site_id, local_date("UTC", each.at), each.camera_id, each.model_name, each.model_version),
    )
    for (site_id, event_date, camera_id, model_name, model_version), own in days.items():
        confidences = sorted(event.confidence for event in own)
        types = [event.event_type for event in own]
        rows.append(
            {
                "site_id": site_id,
                "event_date": event_date,
                "camera_id": camera_id,
                "model_name": model_name,
                "model_version": model_version,
                "event_count": len(own),
                "mean_confidence": mean([Fraction(confidence) for confidence in confidences]),
                "p05_confidence": quantile(confidences, 0.05),
                "working_events": types.count("working"),
                "idle_events": types.count("idle"),
                "absent_events": types.count("absent"),
                "product_count_events": types.count("product_count"),
            }
        )
    return rows
