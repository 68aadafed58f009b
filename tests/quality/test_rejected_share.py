"""The share of rejected records is judged for the site that an object's folders name."""

from __future__ import annotations

from datetime import date

import duckdb

from quality.checks.counts import REJECTED, landing_count_results

DAY = date(2026, 3, 1)
SITE_OF = {
    "events/site_id=A/camera_id=C1/x.jsonl": "A",
    "events/SITE_ID=Werk%20Nord+1/x.jsonl": "Werk Nord+1",
    "events/site_id=A/site_id=B/x.jsonl": "B",
    "events/site_id=C/site_id=%20/x.jsonl": "C",
    "events/site_id=__HIVE_DEFAULT_PARTITION__/x.jsonl": "*",
    "events/site_id=%FF/x.jsonl": "*",
    "events/siteXid=D/site_id=D.jsonl": "*",
}


def test_the_site_is_the_one_that_the_records_get_from_their_folders() -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema marts; set search_path = 'marts'")
        connection.execute(
            "create table landed_objects as select object_key, 'e' as etag, 90000 as bytes, 300 as records, "
            "30 as rejected, timestamptz '2026-03-01' as landed_at from (select unnest(?) as object_key)",
            [list(SITE_OF)],
        )
        connection.execute(
            "create table rejected_records (object_key varchar, etag varchar, superseded_at timestamptz)"
        )
        found = [one for one in landing_count_results(connection, DAY, DAY) if one.check_name == REJECTED.name]
    assert {one.cell.site_id for one in found} == set(SITE_OF.values())
    assert all(one.is_evidence for one in found)
