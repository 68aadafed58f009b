"""Who was where in which window, and for how long: the marts with windows of persons (contract §4 to §6).

A stay is everything known of one subject at one workstation in one window. All unscheduled gaps of a date are one
window.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from tests.reference.groups import Row, grouped, mean, moment, per_hour, ratio, seconds, time_in
from tests.reference.intervals import STATES, Sightings, Stretch, shows_its_subject
from tests.reference.plant import Registry, Settings
from tests.reference.reading import Event
from tests.reference.windows import Window


@dataclass
class Stay:
    """Events, states and vouched time of a subject at a station in a window."""

    site_id: str
    worker_id: str | None
    workstation_id: str
    window: Window
    events: list[Event] = field(default_factory=list)
    states: list[Stretch] = field(default_factory=list)
    vouched: list[Stretch] = field(default_factory=list)

    @property
    def window_key(self) -> tuple[object, ...]:
        return self.site_id, self.window.shift_date, self.window.shift_id

    @property
    def subject_key(self) -> tuple[object, ...]:
        return (*self.window_key, self.worker_id, self.workstation_id if self.worker_id is None else "")

    @property
    def scheduled(self) -> int | None:
        """The window's length; None for unscheduled time."""
        return self.window.ended_at - self.window.started_at if self.window.is_scheduled else None


def stays_of(sightings: Iterable[Sightings], settings: Settings) -> list[Stay]:
    """A stay for each place and window with an event or with a stretch longer than 0."""
    found: dict[tuple[object, ...], Stay] = {}

    def stay(event: Event, window: Window) -> Stay:
        key = (event.site_id, event.worker_id, event.workstation_id, window.shift_date, window.shift_id)
        return found.setdefault(key, Stay(event.site_id, event.worker_id, event.workstation_id, window))

    for own in sightings:
        for event, window in own.placed():
            stay(event, window).events.append(event)
        for state in own.states(settings):
            if state.duration:
                stay(state.event, state.window).states.append(state)
        for vouched in own.vouched(settings):
            if vouched.duration:
                stay(vouched.event, vouched.window).vouched.append(vouched)
    return list(found.values())


def interval_row(state: Stretch) -> Row:
    event, window = state.event, state.window
    return {
        "site_id": event.site_id,
        "shift_date": window.shift_date,
        "shift_id": window.shift_id,
        "worker_id": event.worker_id,
        "workstation_id": event.workstation_id,
        "state": event.event_type,
        "started_at": moment(state.started_at),
        "ended_at": moment(state.ended_at),
        "seconds": seconds(state.duration),
        "end_reason": state.end_reason,
        "confidence": event.confidence,
    }


def observed_rows(vouched: Iterable[Stretch]) -> list[Row]:
    """The unbroken stretches at one station and in one window that a subject's events vouch for, in order."""
    found: list[list[Stretch]] = []
    for stretch in (each for each in vouched if each.duration):
        last = found[-1][-1] if found else None
        goes_on = (
            last is not None
            and last.ended_at == stretch.started_at
            and (last.window, last.event.workstation_id) == (stretch.window, stretch.event.workstation_id)
        )
        if goes_on:
            found[-1].append(stretch)
        else:
            found.append([stretch])
    return [
        {
            "site_id": own[0].event.site_id,
            "shift_date": own[0].window.shift_date,
            "shift_id": own[0].window.shift_id,
            "worker_id": own[0].event.worker_id,
            "workstation_id": own[0].event.workstation_id,
            "started_at": moment(own[0].started_at),
            "ended_at": moment(own[-1].ended_at),
            "seconds": seconds(own[-1].ended_at - own[0].started_at),
        }
        for own in found
    ]


@dataclass(frozen=True)
class Sums:
    """The sums of several stays; durations in microseconds."""

    active: int
    idle: int
    absent: int
    units: int
    event_count: int
    observed: int

    @property
    def present(self) -> int:
        return self.active + self.idle


def sums_of(stays: Iterable[Stay]) -> Sums:
    stays = list(stays)
    states = [state for stay in stays for state in stay.states]
    events = [event for stay in stays for event in stay.events]
    active, idle, absent = (time_in(states, state) for state in STATES)
    units = sum(event.count for event in events if event.event_type == "product_count")
    observed = sum(vouched.duration for stay in stays for vouched in stay.vouched)
    return Sums(active, idle, absent, units, len(events), observed)


def worker_shifts(stays: list[Stay], registry: Registry) -> list[Row]:
    rows = []
    for own in grouped((stay for stay in stays if stay.worker_id is not None), lambda each: each.subject_key).values():
        stay, sums = own[0], sums_of(own)
        tracked = sums.present + sums.absent
        rows.append(
            {
                "site_id": stay.site_id,
                "shift_date": stay.window.shift_date,
                "shift_id": stay.window.shift_id,
                "worker_id": stay.worker_id,
                "worker_name": registry.workers.get((stay.site_id, stay.worker_id), stay.worker_id),
                "is_registered": (stay.site_id, stay.worker_id) in registry.workers,
                "active_seconds": seconds(sums.active),
                "idle_seconds": seconds(sums.idle),
                "absent_seconds": seconds(sums.absent),
                "present_seconds": seconds(sums.present),
                "tracked_seconds": seconds(tracked),
                "scheduled_seconds": None if stay.scheduled is None else seconds(stay.scheduled),
                "utilization": ratio(sums.active, sums.present),
                "attendance": ratio(sums.present, tracked),
                "shift_utilization": ratio(sums.active, stay.scheduled),
                "units": sums.units,
                "units_per_active_hour": per_hour(sums.units, sums.active),
                "units_per_present_hour": per_hour(sums.units, sums.present),
                "event_count": sums.event_count,
                "observed_seconds": seconds(sums.observed),
                "coverage": ratio(sums.observed, stay.scheduled),
            }
        )
    return rows


def worker_station_shifts(stays: list[Stay], registry: Registry) -> list[Row]:
    rows = []
    for stay in stays:
        if stay.worker_id is None:
            continue
        sums = sums_of([stay])
        seen = [event.at for event in stay.events]
        station = registry.workstations.get((stay.site_id, stay.workstation_id), (stay.workstation_id,))
        rows.append(
            {
                "site_id": stay.site_id,
                "shift_date": stay.window.shift_date,
                "shift_id": stay.window.shift_id,
                "worker_id": stay.worker_id,
                "worker_name": registry.workers.get((stay.site_id, stay.worker_id), stay.worker_id),
                "workstation_id": stay.workstation_id,
                "workstation_name": station[0],
                "active_seconds": seconds(sums.active),
                "idle_seconds": seconds(sums.idle),
                "absent_seconds": seconds(sums.absent),
                "present_seconds": seconds(sums.present),
                "units": sums.units,
                "units_per_active_hour": per_hour(sums.units, sums.active),
                "event_count": sums.event_count,
                "first_event_at": moment(min(seen)) if seen else None,
                "last_event_at": moment(max(seen)) if seen else None,
                "observed_seconds": seconds(sums.observed),
                "coverage": ratio(sums.observed, stay.scheduled),
            }
        )
    return rows


def site_shifts(stays: list[Stay]) -> list[Row]:
    rows = []
    for own in grouped(stays, lambda each: each.window_key).values():
        stay, sums = own[0], sums_of(own)
        subjects = grouped(own, lambda each: each.subject_key)
        utilizations = defaultdict(list)
        seen = 0
        for (*_, worker_id, _), their in subjects.items():
            person = sums_of(their)
            if worker_id is not None and person.present:
                utilizations[worker_id].append(Fraction(person.active, person.present))
            shown = any(shows_its_subject(event) for one in their for event in one.events)
            seen += shown or person.observed > 0
        rows.append(
            {
                "site_id": stay.site_id,
                "shift_date": stay.window.shift_date,
                "shift_id": stay.window.shift_id,
                "productive_seconds": seconds(sums.active),
                "units": sums.units,
                "units_per_productive_hour": per_hour(sums.units, sums.active),
                "average_utilization": mean([one for person in utilizations.values() for one in person]),
                "utilization": ratio(sums.active, sums.present),
                "worker_count": len({one.worker_id for one in own if one.worker_id is not None}),
                "workstation_count": len({one.workstation_id for one in own}),
                "observed_seconds": seconds(sums.observed),
                "coverage": ratio(sums.observed, stay.scheduled * seen if stay.scheduled else None),
            }
        )
    return rows
