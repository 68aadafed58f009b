{{ config(database="scratch") }}

with state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

occupied as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        started_at,
        ended_at,
        max(ended_at) over (
            -- Gaps of unscheduled time share no instant: each can be looked at by itself.
            partition by window_number, workstation_id
            order by started_at asc, ended_at asc
            rows between unbounded preceding and 1 preceding
        ) as covered_until

    from state_intervals

    where state in ('working', 'idle') and microseconds > 0

),

-- Each interval adds only what no earlier one has covered.
added as (

    select
        *,
        greatest(started_at, coalesce(covered_until, started_at)) as uncovered_from

    from occupied

)

select
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    {{ whole_sum(
        "case when uncovered_from < ended_at then " ~ microseconds_between('uncovered_from', 'ended_at') ~ " end"
    ) }} as staffed_microseconds
from added
group by site_id, shift_date, shift_id, workstation_id
