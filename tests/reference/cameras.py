"""How well each camera watched, and the sites' and windows' facts for the pages; computed instant by instant.

A span of time is a pair of instants in microseconds. Scheduled time is a list of spans that neither meet nor overlap.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise, product

from tests.reference.counting import camera_events, without_duplicates
from tests.reference.groups import Row, grouped, moment, quantile, ratio, seconds
from tests.reference.intervals import duplicate_key, microseconds
from tests.reference.plant import Registry, Settings
from tests.reference.reading import EPOCH, Event
from tests.reference.windows import DATES_AROUND, Calendar
from tests.reference.zones import DAY, SECOND, local_date, local_midnight, to_local, to_utc

Span = tuple[int, int]
LATE = 120 * 60 * SECOND
SILENCE = 5 * 60 * SECOND
MEMORY_DAYS = 7
HORIZON = 24 * 3600 * SECOND


def instant_of(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def scheduled_spans(calendar: Calendar, day: date, until: int) -> list[Span]:
    """The parts of a UTC date that lie in any shift window, up to an instant."""
    first, last = local_midnight(day), min(local_midnight(day) + DAY, until)
    spans = [
        (max(window.started_at, first), min(window.ended_at, last))
        for days in range(-DATES_AROUND, DATES_AROUND + 1)
        for window in calendar.scheduled_on(day + timedelta(days=days))
    ]
    united: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return united


def common(one: Span, other: Span) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def camera_days(
    accepted: list[Event], calendars: dict[str, Calendar], settings: Settings, landed_at: datetime
) -> list[Row]:
    """Every camera on each date with events of its site, if it sent an event then or within MEMORY_DAYS before."""
    landed = instant_of(landed_at)
    heard = grouped(camera_events(accepted), lambda each: (each.site_id, local_date("UTC", each.at), each.camera_id))
    # An event ahead of the clock counts only for the day before it landed.
    newest = {
        site: max(event.at if event.at <= landed else landed - HORIZON for event in own)
        for site, own in grouped(accepted, lambda each: each.site_id).items()
    }
    site_dates = {(site_id, day) for site_id, day, _ in heard}
    expected = {
        (site_id, day + timedelta(days=days), camera_id)
        for site_id, day, camera_id in heard
        for days in range(MEMORY_DAYS + 1)
        if (site_id, day + timedelta(days=days)) in site_dates
    }
    rows = []
    for site_id, day, camera_id in expected:
        own = heard.get((site_id, day, camera_id), [])
        instants = sorted({event.at for event in own})
        scheduled = scheduled_spans(calendars[site_id], day, newest[site_id])
        midnight = local_midnight(day)
        pauses = list(pairwise([midnight, *instants, midnight + DAY]))
        silence = max((common(pause, span) for pause in pauses for span in scheduled), default=0)
        covered = sum(
            common((instant, min(end, instant + microseconds(settings.last_event_minutes))), span)
            for instant, end in pauses[1:]
            for span in scheduled
        )
        length = sum(end - start for start, end in scheduled)
        lateness = sorted(landed - event.at for event in own)
        late = sum(one > LATE for one in lateness)
        rows.append(
            {
                "site_id": site_id,
                "event_date": day,
                "camera_id": camera_id,
                "event_count": len(own),
                "first_event_at": moment(instants[0]) if instants else None,
                "last_event_at": moment(instants[-1]) if instants else None,
                "scheduled_seconds": seconds(length),
                "covered_seconds": seconds(covered),
                "coverage": ratio(covered, length),
                "longest_silence_seconds": seconds(silence if silence >= SILENCE else 0) if length else None,
                "late_events": late,
                "late_share": ratio(late, len(own)),
                "p50_lateness_seconds": quantile(lateness, 0.5) / SECOND if own else None,
                "p95_lateness_seconds": quantile(lateness, 0.95) / SECOND if own else None,
                "clock_offset_seconds": seconds(-lateness[0]) if own and lateness[0] <= HORIZON else None,
                "station_events": sum(event.worker_id is None for event in own),
            }
        )
    return rows


def shift_windows(days: set[tuple[str, date]], calendars: dict[str, Calendar], landed_at: datetime) -> list[Row]:
    """All windows, unscheduled ones included, of the shift dates on which sites have a row in site_shifts."""
    latest = instant_of(landed_at) - LATE
    rows = []
    for site_id, day in days:
        calendar = calendars[site_id]
        windows = calendar.scheduled_on(day)
        midnight = to_utc(calendar.zone, local_midnight(day + timedelta(days=1)))
        day_ended_at = max([midnight, *(window.ended_at for window in windows)])
        rows += [
            {
                "site_id": site_id,
                "shift_date": day,
                "shift_id": window.shift_id,
                "started_at": moment(window.started_at),
                "ended_at": moment(window.ended_at),
                "started_local": on_the_wall(calendar.zone, window.started_at),
                "ended_local": on_the_wall(calendar.zone, window.ended_at),
                "scheduled_seconds": seconds(window.ended_at - window.started_at),
                "is_complete": window.ended_at <= latest,
                "is_day_complete": day_ended_at <= latest,
            }
            for window in windows
        ]
    return rows


def sites(accepted: list[Event], windows: list[Row], registry: Registry) -> list[Row]:
    seen = grouped(accepted, lambda each: each.site_id)
    rows = []
    for site_id in {*registry.sites, *seen}:
        name, zone = registry.sites.get(site_id, (site_id, "UTC"))
        instants = [event.at for event in seen.get(site_id, [])]
        complete = [row["shift_date"] for row in windows if row["site_id"] == site_id and row["is_day_complete"]]
        rows.append(
            {
                "site_id": site_id,
                "site_name": name,
                "timezone": zone,
                "is_registered": site_id in registry.sites,
                "first_event_at": moment(min(instants)) if instants else None,
                "last_event_at": moment(max(instants)) if instants else None,
                "last_event_local": on_the_wall(zone, max(instants)) if instants else None,
                "latest_complete_shift_date": max(complete, default=None),
            }
        )
    return rows


def on_the_wall(zone: str, instant: int) -> datetime:
    """The local time in a zone, without the zone."""
    return moment(to_local(zone, instant)).astimezone(UTC).replace(tzinfo=None)


def camera_pairs(admitted: list[Event]) -> list[Row]:
    """Two cameras that reported one kind of event about one station on one date: how many events answer each other."""
    ordinary = [each for each in admitted if each.count_total is None]
    counted = [*without_duplicates(ordinary), *(each for each in admitted if each.count_total is not None)]
    reports = Counter(map(duplicate_key, ordinary))
    scenes = grouped(
        counted, lambda each: (each.site_id, local_date("UTC", each.at), each.workstation_id, kind_of(each))
    )
    rows = []
    for (site_id, day, workstation_id, of_kind), own in scenes.items():
        cameras = grouped(own, lambda each: each.camera_id)
        for one, other in combinations(sorted(cameras), 2):
            fewest = min(len(cameras[one]), len(cameras[other]))
            lags = [
                second.at - first.at
                for first, second in product(cameras[one], cameras[other])
                if (of_kind == "counts" or (first.worker_id == second.worker_id and first.at != second.at))
                and not any(each.count_total is None and reports[duplicate_key(each)] > 1 for each in (first, second))
            ]
            close = [lag for lag in lags if -10 <= whole_seconds(lag) <= 10]
            peak = [
                [lag for lag in close if abs(whole_seconds(lag) - centre) <= 1]
                for centre in sorted(range(-9, 10), key=lambda centre: (abs(centre), centre))
            ]
            fullest = max(peak, key=len)
            chance = (len(close) - len(fullest)) // 6
            doubles = min(max(len(fullest) - chance, 0), fewest)
            rows.append(
                {
                    "site_id": site_id,
                    "event_date": day,
                    "workstation_id": workstation_id,
                    "camera_id": one,
                    "other_camera_id": other,
                    "kind": of_kind,
                    "event_count": len(cameras[one]),
                    "other_event_count": len(cameras[other]),
                    "near_duplicates": doubles,
                    "chance_pairs": chance,
                    "near_duplicate_share": ratio(doubles, fewest),
                    "offset_seconds": seconds(sum(fullest)) / len(fullest) if fullest else None,
                }
            )
    return rows


def kind_of(event: Event) -> str:
    return "counts" if event.event_type == "product_count" else "states"


def whole_seconds(microseconds: int) -> int:
    return (microseconds + SECOND // 2) // SECOND
