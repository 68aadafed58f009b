"""The target of a station in a window (contract §4)."""

from datetime import date

from tests.reference.plant import Registry, Target
from tests.reference.zones import HOUR


def target_of(registry: Registry, site_id: str, station: str, shift_id: str, day: date) -> Target | None:
    """The shift's own target on the date, else that of all shifts; None for unscheduled time and on closed dates."""
    if shift_id == "unscheduled" or registry.is_closed(site_id, day):
        return None
    for wanted in (shift_id, "*"):
        for target in registry.targets:
            key = (target.site_id, target.workstation_id, target.shift_id)
            if key == (site_id, station, wanted) and target.is_valid_on(day):
                return target
    return None


def units_asked(target: Target | None, duration: int) -> float | None:
    return None if target is None else target.units_per_hour * duration / HOUR
