"""Contract §2, §3: how records become events, the units of counter readings, and which cameras count for figures."""

from collections.abc import Iterable
from dataclasses import replace

from tests.reference.counters import units_of_totals
from tests.reference.groups import grouped
from tests.reference.intervals import duplicate_key, rank
from tests.reference.plant import Registry
from tests.reference.reading import Event
from tests.reference.zones import local_date


def camera_events(records: Iterable[Event]) -> list[Event]:
    """One event per duplicate key, camera, model and version, and every reading of a counter with its units."""
    records = list(records)
    ordinary = [one for one in records if one.count_total is None]
    readings = [one for one in records if one.count_total is not None]
    sources = grouped(ordinary, lambda one: (*duplicate_key(one), one.camera_id, one.model_name, one.model_version))
    return [*(one_event(own) for own in sources.values()), *counted_readings(readings)]


def one_event(records: list[Event]) -> Event:
    """The event of one source's records of one duplicate key. Different products have different `event_id`s."""
    by_id = grouped(records, lambda one: one.event_id if one.event_type == "product_count" else None)
    kept: list[Event] = [min(own, key=rank) for own in by_id.values()]
    return replace(min(kept, key=rank), count=sum(one.count for one in kept), event_id=None)


def counted_readings(readings: list[Event]) -> list[Event]:
    """The largest of a counter's readings at one instant, with its units as its count."""
    counted: list[Event] = []
    for own in grouped(readings, lambda one: (one.site_id, one.camera_id, one.workstation_id)).values():
        kept = [min(same, key=reading_rank) for _, same in sorted(grouped(own, lambda one: one.at).items())]
        units = units_of_totals([one.count_total or 0 for one in kept])
        counted += [replace(one, count=count) for one, count in zip(kept, units, strict=True)]
    return counted


def reading_rank(reading: Event) -> tuple[object, ...]:
    worker = (reading.worker_id is not None, (reading.worker_id or "").encode())
    return -(reading.count_total or 0), -reading.confidence, worker, rank(reading)


def is_counted(event: Event, registry: Registry) -> bool:
    """Whether the event counts for figures: its camera counts at its station on its local date."""
    day = local_date(registry.timezone_of(event.site_id), event.at)
    own = [row for row in registry.cameras if (row.site_id, row.camera_id) == (event.site_id, event.camera_id)]
    rows = {row.workstation_id: row for row in own if row.is_valid_on(day)}
    row = rows.get(event.workstation_id) or rows.get("*")
    return row is None or (row.counts if event.event_type == "product_count" else row.states)


def events_for_figures(records: Iterable[Event], registry: Registry) -> list[Event]:
    """The events that count for figures about workers, stations and sites."""
    counted = [event for event in camera_events(records) if is_counted(event, registry)]
    ordinary = [event for event in counted if event.count_total is None]
    return [*without_duplicates(ordinary), *(event for event in counted if event.count_total is not None)]


def without_duplicates(events: Iterable[Event]) -> list[Event]:
    """The event that is kept of each duplicate key."""
    return [min(own, key=rank) for own in grouped(events, duplicate_key).values()]
