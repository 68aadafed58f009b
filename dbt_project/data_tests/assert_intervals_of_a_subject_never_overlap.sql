-- A worker, or a station of its own, is in one state at a time, and a minute counts once, also where windows overlap.
-- Where any two intervals overlap, so do two that follow each other in the order of their starts.
with intervals as (

    select
        site_id,
        worker_id,
        workstation_id,
        started_at,
        ended_at,
        lead(started_at) over (
            partition by site_id, worker_id, case when worker_id is null then workstation_id end
            order by started_at asc, ended_at asc
        ) as next_started_at

    from {{ tested_rows(ref('state_intervals'), 'window') }}

)

select *
from intervals
where ended_at > next_started_at
