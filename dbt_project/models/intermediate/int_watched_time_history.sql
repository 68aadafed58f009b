{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "window", "day": "shift_date"}) }}
-- depends_on: {{ lists_of('window') }}

with watched_time as (

    select * from {{ ref('int_watched_time') }}

),

watched_stations as (

    select distinct
        site_id,
        shift_date,
        shift_id,
        workstation_id

    from {{ ref('int_station_watchers') }}

),

stretches as (

    select *
    from {{ ref('int_clock_stretches') }}
    where kind in ('working', 'idle')

),

seen as (

    select
        watched_time.site_id,
        watched_time.shift_date,
        watched_time.shift_id,
        watched_time.workstation_id,
        stretches.kind,
        greatest(stretches.started_at, watched_time.started_at) as started_at,
        least(stretches.ended_at, watched_time.ended_at) as ended_at

    from watched_time

    inner join stretches
        on watched_time.site_id = stretches.site_id
        and watched_time.shift_date = stretches.shift_date
        and watched_time.shift_id = stretches.shift_id
        and watched_time.workstation_id = stretches.workstation_id
        and watched_time.started_at < stretches.ended_at
        and watched_time.ended_at > stretches.started_at

),

ordered as (

    select
        *,
        max(case when kind = 'working' then ended_at end) over earlier as worked_until,
        max(ended_at) over earlier as staffed_until

    from seen

    window earlier as (
        partition by site_id, shift_date, shift_id, workstation_id
        order by started_at
        rows between unbounded preceding and 1 preceding
    )

),

-- Working if anybody is working, else idle if anybody is idle.
seen_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        {{ whole_sum("case when kind = 'working' then " ~ microseconds_added('worked_until') ~ " end") }}
            as working_microseconds,
        {{ whole_sum(microseconds_added('staffed_until')) }} as staffed_microseconds

    from ordered

    group by site_id, shift_date, shift_id, workstation_id

),

watched_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        {{ whole_sum(microseconds_between('started_at', 'ended_at')) }} as watched_microseconds

    from watched_time

    group by site_id, shift_date, shift_id, workstation_id

)

select
    watched_stations.site_id,
    watched_stations.shift_date,
    watched_stations.shift_id,
    watched_stations.workstation_id,
    coalesce(watched_sums.watched_microseconds, 0) as watched_microseconds,
    coalesce(seen_sums.working_microseconds, 0) as working_microseconds,
    coalesce(seen_sums.staffed_microseconds - seen_sums.working_microseconds, 0) as idle_microseconds
from watched_stations
left join watched_sums
    on watched_stations.site_id = watched_sums.site_id
    and watched_stations.shift_date = watched_sums.shift_date
    and watched_stations.shift_id = watched_sums.shift_id
    and watched_stations.workstation_id = watched_sums.workstation_id
left join seen_sums
    on watched_stations.site_id = seen_sums.site_id
    and watched_stations.shift_date = seen_sums.shift_date
    and watched_stations.shift_id = seen_sums.shift_id
    and watched_stations.workstation_id = seen_sums.workstation_id
