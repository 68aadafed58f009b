"""The output of workstations by the clock: every instant belongs to one window and one hour (contract §4, §6)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise

from tests.reference.counting import is_counted
from tests.reference.groups import Row, moment, per_hour, ratio, seconds, union
from tests.reference.intervals import STATES, Sightings, counted_at, microseconds
from tests.reference.plant import Registry, Settings, Target
from tests.reference.reading import EPOCH, MICROSECOND, Event
from tests.reference.targets import target_of, units_asked
from tests.reference.windows import Calendar, Window
from tests.reference.zones import DAY, HOUR, SECOND

Span = tuple[int, int]
Key = tuple[str, date, str, str]  # site, shift date, shift, workstation
MEMORY = 7 * DAY


class Hour:
    """The facts about a station in one hour of one window."""

    def __init__(self) -> None:
        self.units = 0
        self.spans: dict[str, list[Span]] = {"working": [], "idle": [], "observed": []}

    def time(self, kind: str) -> int:
        return sum(end - start for start, end in self.spans[kind])


class Stations:
    """All stations of a plant. Stretches of subjects are cut at the clock's windows and at hours."""

    def __init__(
        self,
        accepted: list[Event],
        sightings: list[Sightings],
        registry: Registry,
        calendars: dict[str, Calendar],
        settings: Settings,
        landed_at: datetime,
    ) -> None:
        self.accepted, self.registry, self.calendars = accepted, registry, calendars
        self.longest = microseconds(settings.last_event_minutes)
        self.as_of = (landed_at - EPOCH) // MICROSECOND // (60 * SECOND) * (60 * SECOND)
        self.hourly: dict[Key, dict[int, Hour]] = defaultdict(lambda: defaultdict(Hour))
        self.workers: dict[Key, set[str]] = defaultdict(set)
        self.absences: dict[Key, list[Span]] = defaultdict(list)
        for own in sightings:
            calendar = calendars[own.events[0].site_id]
            for event in own.events:
                at = counted_at(event)
                hours = self.hours_in(event, calendar.window_of(at))
                if event.event_type == "product_count":
                    hours[calendar.hour_of(at)].units += event.count
            for stretch in own.states(settings):
                if stretch.event.event_type != "absent":
                    self.add(stretch.event.event_type, stretch.event, stretch.started_at, stretch.ended_at)
                else:
                    self.add("", stretch.event, stretch.started_at, stretch.ended_at)
            for stretch in own.vouched(settings):
                self.add("observed", stretch.event, stretch.started_at, stretch.ended_at)

    def hours_in(self, event: Event, window: Window) -> dict[int, Hour]:
        """The station's hours in a window of the clock, with the event's worker as present."""
        key = (event.site_id, window.shift_date, window.shift_id, event.workstation_id)
        if event.worker_id is not None:
            self.workers[key].add(event.worker_id)
        return self.hourly[key]

    def add(self, kind: str, event: Event, started_at: int, ended_at: int) -> None:
        """Add a stretch of time. Hours know nothing of absences."""
        calendar = self.calendars[event.site_id]
        for window, start, end in calendar.by_the_clock(started_at, ended_at):
            hours = self.hours_in(event, window)
            if not kind:
                self.absences[event.site_id, window.shift_date, window.shift_id, event.workstation_id].append(
                    (start, end)
                )
            for hour, first, last in calendar.by_the_hour(start, end) if kind else ():
                hours[hour].spans[kind].append((first, last))

    def target(self, key: Key) -> Target | None:
        site_id, day, shift_id, station = key
        return target_of(self.registry, site_id, station, shift_id, day)

    def clock_time(self, key: Key) -> list[Span]:
        """The time of a scheduled window by the clock; empty for unscheduled time."""
        site_id, day, shift_id, _ = key
        calendar = self.calendars[site_id]
        found = [window for window in calendar.scheduled_on(day) if window.shift_id == shift_id]
        return calendar.clock_time(found[0]) if found else []

    def before_as_of(self, spans: Iterable[Span]) -> list[Span]:
        return [(start, min(end, self.as_of)) for start, end in spans if start < self.as_of]

    def totals(self, key: Key) -> Row:
        """Sums over the station's hours in a window of the clock."""
        hours = list(self.hourly.get(key, {}).values())
        return {
            "units": sum(hour.units for hour in hours),
            "working": sum(hour.time("working") for hour in hours),
            "idle": sum(hour.time("idle") for hour in hours),
            "staffed": sum(union(hour.spans["working"] + hour.spans["idle"]) for hour in hours),
            "observed": sum(union(hour.spans["observed"]) for hour in hours),
        }

    def targeted(self, key: Key) -> Row:
        """The columns about the target."""
        target = self.target(key)
        time = self.clock_time(key)
        so_far = units_asked(target, length(self.before_as_of(time)))
        return {
            "target_units_per_hour": target.units_per_hour if target else None,
            "target_units": units_asked(target, length(time)),
            "target_units_so_far": so_far,
            "attainment": self.totals(key)["units"] / so_far if so_far else None,
        }

    def shifts(self) -> list[Row]:
        rows = []
        for key in self.hourly:
            site_id, shift_date, shift_id, station = key
            own, asked = self.totals(key), self.targeted(key)
            occupancy = own["working"] + own["idle"]
            rows.append(
                {
                    "site_id": site_id,
                    "shift_date": shift_date,
                    "shift_id": shift_id,
                    "workstation_id": station,
                    **self.named(site_id, station),
                    "working_seconds": seconds(own["working"]),
                    "idle_seconds": seconds(own["idle"]),
                    "occupancy_seconds": seconds(occupancy),
                    "staffed_seconds": seconds(own["staffed"]),
                    "utilization": ratio(own["working"], occupancy),
                    "units": own["units"],
                    "throughput_per_hour": per_hour(own["units"], occupancy),
                    "worker_count": len(self.workers[key]),
                    **asked,
                    "observed_seconds": seconds(own["observed"]),
                    "coverage": ratio(own["observed"], length(self.clock_time(key))),
                }
            )
        return rows

    def audits(self) -> list[Row]:
        """The audit queue: every hour that has any time of a station is hashed, one after the other."""
        rows = []
        for (site_id, shift_date, shift_id, station), hours in self.hourly.items():
            spans = {
                kind: [span for hour in hours.values() for span in hour.spans[kind]]
                for kind in ("working", "idle", "observed")
            }
            spans["absent"] = self.absences[site_id, shift_date, shift_id, station]
            began = {start // HOUR for start, _ in spans["observed"]}
            for number in sorted({n for first in began for n in range(first, first + 30)}):
                text = f"{number * HOUR}|{len(site_id)}:{site_id}|{len(station)}:{station}"
                digits = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
                at = number * HOUR + int(digits[20:], 16) % HOUR
                seen = {kind for kind, own in spans.items() if any(start <= at < end for start, end in own)}
                if int(digits, 16) < 2**128 // 16 and "observed" in seen:
                    states = [state for state in ("working", "idle", "absent") if state in seen]
                    rows.append(
                        {
                            "site_id": site_id,
                            "shift_date": shift_date,
                            "shift_id": shift_id,
                            "audit_key": f"audit-{digits}",
                            "sampled_at": moment(at),
                            "workstation_id": station,
                            "reported_state": states[0] if states else None,
                            "inclusion_probability": 1 / 16,
                        }
                    )
        return rows

    def named(self, site_id: str, station: str) -> Row:
        known: tuple[str, ...] | None = self.registry.workstations.get((site_id, station))
        return {
            "workstation_name": known[0] if known else station,
            "station_type": known[1] if known else None,
            "line": known[2] if known and len(known) > 2 else None,
            "is_registered": known is not None,
        }

    def targets(self, windows: list[Row]) -> list[Key]:
        """Site, shift date, shift and station of every published window in which a station has a target."""
        stations = {(target.site_id, target.workstation_id) for target in self.registry.targets}
        keys = [
            (window["site_id"], window["shift_date"], window["shift_id"], station)
            for window in windows
            for site_id, station in stations
            if site_id == window["site_id"]
        ]
        return [key for key in keys if self.target(key)]

    def hours(self, targets: list[Key]) -> list[Row]:
        """A row for each hour with a count (even 0), a state or vouched time, and for each hour with a target."""
        targeted = set(targets)
        rows = []
        for key in {*self.hourly, *targeted}:
            site_id, shift_date, shift_id, station = key
            calendar = self.calendars[site_id]
            asked: dict[int, list[Span]] = defaultdict(list)
            for start, end in self.clock_time(key):
                for hour, first, last in calendar.by_the_hour(start, end):
                    asked[hour].append((first, last))
            seen = self.hourly.get(key, {})
            target = self.target(key)
            made = time = time_so_far = 0
            for hour in sorted({*seen, *(asked if key in targeted else ())}):
                own = seen.get(hour, Hour())
                duration, so_far = length(asked[hour]), length(self.before_as_of(asked[hour]))
                made, time, time_so_far = made + own.units, time + duration, time_so_far + so_far
                gone = units_asked(target, time_so_far)
                observed = union(own.spans["observed"])
                rows.append(
                    {
                        "site_id": site_id,
                        "workstation_id": station,
                        "hour": moment(hour),
                        "shift_date": shift_date,
                        "shift_id": shift_id,
                        "units": own.units,
                        "working_seconds": seconds(own.time("working")),
                        "idle_seconds": seconds(own.time("idle")),
                        "target_units": units_asked(target, duration),
                        "target_units_so_far": units_asked(target, so_far),
                        "cumulative_units": made,
                        "cumulative_target_units": units_asked(target, time),
                        "cumulative_gap": None if gone is None else made - gone,
                        "observed_seconds": seconds(observed),
                        "coverage": ratio(observed, duration),
                        "staffed_seconds": seconds(union(own.spans["working"] + own.spans["idle"])),
                    }
                )
        return rows

    def target_row(self, site_id: str, shift_date: date, shift_id: str, station: str) -> Row:
        key = (site_id, shift_date, shift_id, station)
        own, time = self.totals(key), self.clock_time(key)
        asked = self.targeted(key)
        attainment = asked.pop("attainment")
        (window,) = [w for w in self.calendars[site_id].scheduled_on(shift_date) if w.shift_id == shift_id]
        return {
            "site_id": site_id,
            "shift_date": shift_date,
            "shift_id": shift_id,
            "workstation_id": station,
            **self.named(site_id, station),
            "scheduled_seconds": seconds(window.ended_at - window.started_at),
            **asked,
            "units": own["units"],
            "staffed_seconds": seconds(own["staffed"]),
            "observed_seconds": seconds(own["observed"]),
            "coverage": ratio(own["observed"], length(time)),
            "attainment": attainment,
            **self.became(key, window),
        }

    def became(self, key: Key, window: Window) -> Row:
        """How the target time before as of was used, by the clock, stretch by stretch between neighbouring edges."""
        site_id, _, _, station = key
        names = ("working", "idle", "unstaffed", "not_seen")
        cameras = {
            event.camera_id
            for event in self.accepted
            if (event.site_id, event.workstation_id) == (site_id, station)
            and event.event_type in STATES
            and window.started_at - MEMORY <= event.at < window.ended_at
            and is_counted(event, self.registry)
        }
        if not cameras:
            return {f"{name}_seconds": None for name in names}
        watched = [
            (event.at, event.at + self.longest)
            for event in self.accepted
            if event.site_id == site_id
            and event.camera_id in cameras
            and window.started_at - self.longest <= event.at < window.ended_at
        ]
        hours = self.hourly.get(key, {}).values()
        states = {name: [span for hour in hours for span in hour.spans[name]] for name in ("working", "idle")}
        time = dict.fromkeys(names, 0)
        for start, end in self.before_as_of(self.clock_time(key)):
            edges = {start, end, *(edge for span in [*watched, *states["working"], *states["idle"]] for edge in span)}
            cuts = sorted(edge for edge in edges if start <= edge <= end)
            for first, last in pairwise(cuts):
                if not covers(watched, first, last):
                    became = "not_seen"
                elif covers(states["working"], first, last):
                    became = "working"
                elif covers(states["idle"], first, last):
                    became = "idle"
                else:
                    became = "unstaffed"
                time[became] += last - first
        return {f"{name}_seconds": seconds(time[name]) for name in names}


def covers(spans: list[Span], first: int, last: int) -> bool:
    return any(start <= first and last <= end for start, end in spans)


def length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)
