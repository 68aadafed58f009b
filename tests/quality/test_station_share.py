"""A camera that loses its workers' ids is named by a check; one that always sent station events is not."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from quality.checks.counts import STATION_SHARE, day_count_results

FIRST, CHANGED = date(2026, 1, 1), date(2026, 1, 20)


def test_a_change_of_the_share_of_station_events_is_evidence_in_either_direction() -> None:
    """By camera: the station events of 200 a day, until the change and from then on."""
    cameras = {"steady": (0, 0), "stations": (200, 200), "mixed": (50, 60), "lost": (0, 30), "named": (200, 0)}
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema handover;
            create table handover.int_count_days (
                site_id varchar, event_date date, camera_id varchar, is_reading boolean, rise_count bigint,
                fall_count bigint, record_count bigint, repeat_count bigint, is_whole_seconds boolean,
                most_units bigint, usual_units double);
            create schema marts; use marts;
            create table camera_days (
                site_id varchar, event_date date, camera_id varchar, event_count bigint, station_events bigint)
            """
        )
        for number in range(40):
            day = FIRST + timedelta(days=number)
            rows: list[tuple[str, date, str, int, int | None]] = [
                ("A", day, name, 200, (after if day >= CHANGED else before))
                for name, (before, after) in cameras.items()
            ]
            # Too few events; no events; frozen before station events were counted.
            rows += [("A", day, "few", 20, 20 * (number % 2)), ("A", day, "dark", 0, 0), ("A", day, "old", 200, None)]
            connection.executemany("insert into camera_days values (?, ?, ?, ?, ?)", rows)
        results = [
            one
            for one in day_count_results(connection, FIRST, FIRST + timedelta(days=39))
            if one.metric == STATION_SHARE.metric
        ]
    bad = {one.cell.camera_id for one in results if one.status == "warn"}
    assert bad == {"lost", "named"}
    assert {one.evidence_date for one in results if one.status == "warn"} >= {CHANGED, CHANGED + timedelta(days=1)}
    assert {one.cell.camera_id for one in results} == {*cameras, "few"}
    (first,) = [one for one in results if one.cell.camera_id == "lost" and one.evidence_date == CHANGED]
    assert first.sentence == (
        "Site A, camera lost: 15.0 % (before: 0.0 %) of its events name no worker: ids are lost, or new; "
        "they count for stations alone."
    )
    assert [one.status for one in results if one.evidence_date == FIRST] == ["insufficient_data"] * 6
