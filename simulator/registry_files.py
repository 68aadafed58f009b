"""Writes the registry files of a planned plant as its administrators would."""

import csv
import io

from simulator.fleet import SHARED_SHIFTS, Fleet, Site

# Targets in percent of a station's speed. They leave room for pauses and changes of worker. The last shift of a day has
# a lower target, because fewer people carry material at night.
TARGET_PERCENT = 60
LAST_SHIFT_TARGET_PERCENT = 50


def registry_files(fleet: Fleet) -> dict[str, str]:
    """CSV texts by file name."""
    shifts = [("*", shift) for shift in SHARED_SHIFTS]
    shifts += [(site.site_id, shift) for site in fleet.sites if site.has_own_shifts for shift in site.shifts]
    return {
        "sites.csv": _csv(("site_id", "name", "timezone"), [(s.site_id, s.name, s.timezone) for s in fleet.sites]),
        "shifts.csv": _csv(
            ("site_id", "shift_id", "start_local", "duration_minutes", "valid_from", "valid_to"),
            [(place, shift.shift_id, shift.start_local, shift.duration_minutes, "", "") for place, shift in shifts],
        ),
        "workers.csv": _csv(
            ("site_id", "worker_id", "name"),
            [(s.site_id, w.worker_id, w.name) for s in fleet.sites for w in s.workers if w.is_registered],
        ),
        "workstations.csv": _csv(
            ("site_id", "workstation_id", "name", "station_type", "line"),
            [
                (
                    s.site_id,
                    station.workstation_id,
                    station.name,
                    station.station_type,
                    f"Line {1 + 2 * at // len(s.stations)}",
                )
                for s in fleet.sites
                for at, station in enumerate(s.stations)
                if station.is_registered
            ],
        ),
        "contacts.csv": _csv(
            ("site_id", "line", "cause", "name", "phone"),
            [
                ("*", "", "", "Shift lead", "100"),
                ("*", "", "not_seen", "Camera support", "110"),
                ("*", "", "unstaffed", "Staffing desk", "120"),
                (fleet.sites[0].site_id, "Line 1", "slow", "Maintenance, line 1", "131"),
            ],
        ),
        "targets.csv": _csv(
            ("site_id", "workstation_id", "shift_id", "units_per_hour", "valid_from", "valid_to"),
            [row for site in fleet.sites for row in _targets(site)],
        ),
    }


def _targets(site: Site) -> list[tuple[str | int, ...]]:
    """One target for all shifts and one for the last shift of each registered station. Inspection has no targets."""
    return [
        (site.site_id, station.workstation_id, shift_id, f"{station.units_per_hour * percent / 100:.1f}", "", "")
        for station in site.stations
        if station.is_registered and station.station_type != "inspection"
        for shift_id, percent in (("*", TARGET_PERCENT), (site.shifts[-1].shift_id, LAST_SHIFT_TARGET_PERCENT))
    ]


def _csv(header: tuple[str, ...], rows: list[tuple[str | int, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
