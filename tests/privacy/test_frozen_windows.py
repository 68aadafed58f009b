"""Retention freezes windows whose figures may depend on deleted events, and no window that has not ended.

The tests create the table of windows; no model is built.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion.stored_tables import Table
from ingestion.warehouse import open_warehouse, warehouse_lock
from privacy.retention import apply_retention, keep_history
from publishing.histories import History, write_histories
from tests.plant import EVENT, Plant

NOW = datetime(2026, 3, 11, 3, tzinfo=UTC)
# By time zone, the last frozen date if 7 March is the first UTC date whose events are kept.
LAST_FROZEN = {
    "Pacific/Kiritimati": 8,  # 8 March begins there 10 h after that midnight
    "Asia/Tokyo": 8,  # 15 h
    "Asia/Singapore": 7,  # 16 h: no arrival can be before that midnight
    "UTC": 7,
    "Pacific/Pago_Pago": 7,
}


def plant_of(folder: Path, days_kept: int, zones: Collection[str]) -> Plant:
    """Ten events, one each day, and for each zone a site named after it with a window without units on each day."""
    plant = Plant(folder, retention_event_days=days_kept, retention_grace_days=0)
    lines = [json.dumps({**EVENT, "timestamp": f"2026-03-{day:02}T10:15:00Z"}) + "\n" for day in range(1, 11)]
    plant.drop("events/a.jsonl", "".join(lines))
    plant.land(NOW)
    with open_warehouse(plant.settings) as connection:
        for zone in zones:
            connection.execute(
                "insert into raw.sites (site_id, name, timezone) values ($zone, $zone, $zone)", {"zone": zone}
            )
        connection.execute(
            """
            create schema if not exists marts;
            create table marts.site_shifts as
            select site_id, date '2026-03-01' + day::integer as shift_date, 0 as units
            from range(10) days(day), raw.sites
            """
        )
        write_histories(connection, [History(Table("marts", "site_shifts"), "shift_date")])
    return plant


def last_that_stayed(plant: Plant, now: datetime = NOW) -> dict[str, int]:
    """Each site's last date that is unchanged after retention and a build of the remaining events."""
    with warehouse_lock(plant.settings):
        apply_retention(plant.settings, now)
        with open_warehouse(plant.settings) as connection:
            connection.execute("update marts.site_shifts set units = 7")
            keep_history(connection)
    rows = plant.query("from warehouse.marts.site_shifts order by all", attach=True)
    assert (
        len({(row["site_id"], row["shift_date"]) for row in rows})
        == len(rows)
        == 10 * len({row["site_id"] for row in rows})
    )
    stayed = {row["site_id"]: row["shift_date"].day for row in rows if not row["units"]}
    assert all(bool(row["units"]) == (row["shift_date"].day > stayed[row["site_id"]]) for row in rows)
    return stayed


def test_a_window_that_may_rest_on_deleted_events_stays_as_it_was(tmp_path: Path) -> None:
    plant = plant_of(tmp_path, days_kept=4, zones=LAST_FROZEN)
    assert last_that_stayed(plant) == LAST_FROZEN
    with open_warehouse(plant.settings) as connection:
        connection.execute("update raw.sites set timezone = 'UTC'")  # the sites move, and frozen dates stay
    assert last_that_stayed(plant) == LAST_FROZEN
    assert last_that_stayed(plant, NOW + timedelta(days=1)) == LAST_FROZEN  # 8 March is frozen in its present form


def test_no_window_is_frozen_while_it_lasts(tmp_path: Path) -> None:
    plant = plant_of(tmp_path, days_kept=1, zones=["UTC"])
    assert last_that_stayed(plant) == {"UTC": 8}
    assert {row["event_at"].day for row in plant.raw("events")} == {8, 9, 10}
