"""Which target a station has in a window, and what it asks by the hour (contract §4 and §6)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from tests.reference.groups import PlacedEvent, grouped
from tests.reference.plant import Registry, Target
from tests.reference.windows import Window
from tests.reference.zones import HOUR


def target_of(registry: Registry, site_id: str, station: str, shift_id: str, day: date) -> Target | None:
    """The shift's own target on the date, else that of all shifts; none for unscheduled time."""
    if shift_id == "unscheduled":
        return None
    for wanted in (shift_id, "*"):
        for target in registry.targets:
            key = (target.site_id, target.workstation_id, target.shift_id)
            if key == (site_id, station, wanted) and target.is_valid_on(day):
                return target
    return None


def units_asked(target: Target | None, duration: int) -> float | None:
    return None if target is None else target.units_per_hour * duration / HOUR


def hours_of(window: Window) -> Iterable[tuple[int, int]]:
    """Each UTC hour that the window touches, with how much of it lies in the window."""
    hour = window.started_at // HOUR * HOUR
    while hour < window.ended_at:
        yield hour, min(window.ended_at, hour + HOUR) - max(window.started_at, hour)
        hour += HOUR


def targeted_windows(events: Iterable[PlacedEvent], registry: Registry) -> dict[tuple[Any, ...], tuple[Target, Window]]:
    """Site, shift date, shift and station of every scheduled window with an event of a station that has a target."""
    found = {}
    for key, own in grouped(
        events, lambda each: (each[0].site_id, each[1].shift_date, each[1].shift_id, each[0].workstation_id)
    ).items():
        site_id, day, shift_id, station = key
        target = target_of(registry, site_id, station, shift_id, day)
        if target:
            found[key] = (target, own[0][1])
    return found
