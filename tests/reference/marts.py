"""Contract §6: the marts that are computed from events, row by row. Nothing is stored and nothing is incremental.

Sums are whole microseconds and are converted to seconds once. Means are computed in exact fractions.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.reference.agreement import count_agreement, station_releases
from tests.reference.cameras import camera_days, camera_pairs, shift_windows, sites
from tests.reference.counting import camera_events, events_for_figures, is_counted
from tests.reference.groups import Row, grouped, mean, p05
from tests.reference.intervals import sightings_of
from tests.reference.people import (
    interval_row,
    observed_rows,
    site_shifts,
    stays_of,
    worker_shifts,
    worker_station_shifts,
)
from tests.reference.plant import Registry, Settings
from tests.reference.reading import Event
from tests.reference.stations import Stations
from tests.reference.windows import Calendar
from tests.reference.zones import local_date

KEYS = {
    "state_intervals": ("site_id", "worker_id", "started_at", "workstation_id", "state"),
    "observed_intervals": ("site_id", "worker_id", "started_at", "workstation_id"),
    "worker_shifts": ("site_id", "shift_date", "shift_id", "worker_id"),
    "workstation_shifts": ("site_id", "shift_date", "shift_id", "workstation_id"),
    "site_shifts": ("site_id", "shift_date", "shift_id"),
    "audit_queue": ("audit_key",),
    "hourly_output": ("site_id", "workstation_id", "hour", "shift_date", "shift_id"),
    "station_targets": ("site_id", "shift_date", "shift_id", "workstation_id"),
    "count_agreement": ("site_id", "shift_date", "shift_id", "workstation_id"),
    "station_releases": ("site_id", "workstation_id"),
    "model_days": ("site_id", "event_date", "camera_id", "model_name", "model_version"),
    "worker_station_shifts": ("site_id", "shift_date", "shift_id", "worker_id", "workstation_id"),
    "camera_days": ("site_id", "event_date", "camera_id"),
    "camera_pairs": ("site_id", "event_date", "workstation_id", "camera_id", "other_camera_id", "kind"),
    "shift_windows": ("site_id", "shift_date", "shift_id"),
    "sites": ("site_id",),
    "confidence_histograms": ("site_id", "event_date", "camera_id", "model_name", "model_version", "bin"),
}


def compute_marts(
    accepted: Iterable[Event], registry: Registry, settings: Settings, landed_at: datetime
) -> dict[str, list[Row]]:
    """Every mart of KEYS, its rows in the order of its key, for all accepted events of all objects.

    All objects landed at one instant. It determines the events' lateness, the complete windows, and the figures so far.
    """
    accepted = list(accepted)
    calendars = {site_id: Calendar(registry, site_id) for site_id in {event.site_id for event in accepted}}
    sightings = sightings_of(events_for_figures(accepted, registry), calendars)
    stays = stays_of(sightings, settings)
    windows = shift_windows({(stay.site_id, stay.window.shift_date) for stay in stays}, calendars, landed_at)
    stations = Stations(accepted, sightings, registry, calendars, settings, landed_at)
    targets = stations.targets(windows)
    marts = {
        "state_intervals": [interval_row(state) for own in sightings for state in own.states(settings)],
        "observed_intervals": [row for own in sightings for row in observed_rows(own.vouched(settings))],
        "worker_shifts": worker_shifts(stays, registry),
        "workstation_shifts": (station_shifts := stations.shifts()),
        "site_shifts": site_shifts(stays),
        "hourly_output": stations.hours(targets),
        "audit_queue": stations.audits(),
        "station_targets": [stations.target_row(*key) for key in targets],
        "count_agreement": count_agreement(registry, windows, station_shifts),
        "station_releases": station_releases(registry, station_shifts),
        "model_days": model_days(accepted),
        "worker_station_shifts": worker_station_shifts(stays, registry),
        "camera_days": camera_days(accepted, calendars, settings, landed_at),
        "camera_pairs": camera_pairs([event for event in camera_events(accepted) if is_counted(event, registry)]),
        "shift_windows": windows,
        "sites": sites(accepted, windows, registry),
        "confidence_histograms": confidence_histograms(accepted),
    }
    return {
        mart: sorted(rows, key=lambda row: [(row[n] is not None, "" if row[n] is None else row[n]) for n in KEYS[mart]])
        for mart, rows in marts.items()
    }


def confidence_histograms(accepted: list[Event]) -> list[Row]:
    """Counts by bin, compared with the bins' edges, so that nothing is rounded."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for event in camera_events(accepted):
        bins = [number for number in range(50) if event.confidence * 50 >= number]
        day = local_date("UTC", event.at)
        counts[event.site_id, day, event.camera_id, event.model_name, event.model_version, bins[-1]] += 1
    return [
        {**dict(zip(KEYS["confidence_histograms"], key, strict=True)), "event_count": n} for key, n in counts.items()
    ]


def model_days(accepted: list[Event]) -> list[Row]:
    """All events that cameras sent, whether or not they count for figures."""
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
                "p05_confidence": p05(confidences),
                "working_events": types.count("working"),
                "idle_events": types.count("idle"),
                "absent_events": types.count("absent"),
                "product_count_events": types.count("product_count"),
            }
        )
    return rows
