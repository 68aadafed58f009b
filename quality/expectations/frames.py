"""The small frames that the suites judge: aggregates of marts, never single events.

A frame has one row per cell (such as a site's day or a landing day) and the size of the cell's sample. `age_days` is
the number of days between the cell and the newest one, because an error a month ago must raise no alarm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.contract.events import EVENT_TYPES

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# One row per UTC day on which something landed.
LANDED_OBJECTS = """
    with days as (
        select
            cast(timezone('UTC', landed_at) as date) as landed_on,
            cast(sum(records) as bigint) as records,
            cast(sum(rejected) as bigint) as rejected,
            cast(sum(abs(records - accepted - rejected)) as bigint) as unaccounted_records
        from landed_objects
        group by landed_on
    )
    select *, rejected / nullif(records, 0) as rejected_share, max(landed_on) over () - landed_on as age_days
    from days
    order by landed_on
"""

# One row per site and UTC date.
MODEL_DAYS = """
    with days as (
        select
            site_id,
            event_date,
            cast(sum(event_count) as bigint) as event_count,
            sum(mean_confidence * event_count) / sum(event_count) as mean_confidence,
            min(mean_confidence) as lowest_mean_confidence,
            max(mean_confidence) as highest_mean_confidence
        from model_days
        group by site_id, event_date
    )
    select *, max(event_date) over () - event_date as age_days
    from days
    order by site_id, event_date
"""

# The four types of each site's newest days, as about 10,000 rows at most. The expectation counts rows, and 10,000 rows
# represent a share to four digits. Each row represents `events` events.
EVENT_MIX_ROWS = 10_000
EVENT_MIX_DAYS = 7
EVENT_MIX = f"""
    with newest as (
        select * from model_days
        where event_date > (select max(event_date) from model_days) - {EVENT_MIX_DAYS}
    ),
    types as (
        unpivot (
            select
                site_id,
                {", ".join(f"cast(sum({kind}_events) as bigint) as {kind}" for kind in EVENT_TYPES)}
            from newest
            group by site_id
        )
        on {", ".join(EVENT_TYPES)} into name event_type value events
    ),
    shares as (
        select site_id, event_type, events, cast(sum(events) over (partition by site_id) as bigint) as total_events
        from types
    ),
    scaled as (
        select
            *,
            cast(round(events * least(1, {EVENT_MIX_ROWS} / total_events)) as bigint) as row_count
        from shares
        where total_events > 0
    )
    select site_id, event_type, events / row_count as events, total_events, unnest(range(row_count)) as row_number
    from scaled
    where row_count > 0
    order by site_id, event_type, row_number
"""

# One row per site and shift date.
WORKER_SHIFTS = """
    with dates as (
        select
            site_id,
            shift_date,
            count(*) as worker_shifts,
            min(utilization) as lowest_utilization,
            max(utilization) as highest_utilization,
            max(abs(active_seconds + idle_seconds + absent_seconds - tracked_seconds)) as untracked_seconds
        from worker_shifts
        group by site_id, shift_date
    )
    select *, max(shift_date) over () - shift_date as age_days
    from dates
    order by site_id, shift_date
"""


# One row per check and cell, with the result of its newest judged day.
CHECK_RESULTS = """
    with newest as (
        select
            *,
            row_number() over (partition by check_name, cell order by evidence_date desc) as place,
            max(evidence_date) over (partition by check_name) as newest_date
        from check_results
    )
    select
        check_name,
        cell,
        evidence_date,
        sample_size,
        sentence,
        -- How far beyond its limit: below it where the limit is one that things fall under.
        case when threshold < 0 or metric = 'confidence_floor' then -effect else effect end as extent,
        cast(status in ('warn', 'fail') as integer) as evidence,
        cast(status <> 'insufficient_data' as integer) as is_judged
    from newest
    where place = 1 and evidence_date > newest_date - 45
    order by check_name, cell
"""


def read_frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """The rows of a query. The connection's search path must contain the marts."""
    return connection.execute(query).df()
