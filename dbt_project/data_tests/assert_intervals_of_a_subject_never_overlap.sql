-- A subject (a worker or a station) is in one state at a time, even where windows overlap, so that no minute counts
-- twice. If any two intervals overlap, so do two neighbours in the order of their starts.
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
