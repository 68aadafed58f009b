"""A site without any camera whose clock runs."""

from __future__ import annotations

from datetime import date

import duckdb

from quality.checks.old_events import old_event_results

DAY = date(2026, 1, 15)


def test_a_site_whose_only_clock_is_dead_from_the_start_is_warned_of() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            set timezone = 'UTC';
            create schema raw;
            create schema handover;
            create table raw.landed_objects as select 1 as object_id, timestamptz '2026-01-15 10:00:00Z' as landed_at;
            create table raw.events as from (values
                ('dead', 'C1', 1, timestamptz '2000-01-01 00:00:05Z'), ('dead', 'C1', 1, '2000-01-02 00:00:00Z'),
                ('fine', 'C2', 1, '2025-01-15 09:00:00Z')
            ) as rows (site_id, camera_id, object_id, event_at);
            create table handover.int_event_dates as
            select site_id, max(event_at) as heard_until from raw.events group by site_id;
            """
        )
        found, fine = old_event_results(connection, DAY, DAY, 400)
        assert {one.status for one in old_event_results(connection, DAY, DAY, 36_500)} == {"pass"}
    assert (found.cell.camera_id, found.observed, found.is_strong) == ("C1", 2, True)
    assert found.sentence == (
        "Site dead, camera C1: 2 events are dated from 2000-01-01 to 2000-01-02, more than 400 days before they "
        "landed, and the site has no newer ones: its clock may have stopped."
    )
    assert (fine.cell.site_id, fine.status) == ("fine", "pass")
