-- A worker is in one state at a time. (Windows themselves may overlap; then so may the intervals of different ones.)
with intervals as (

    select
        site_id,
        worker_id,
        shift_date,
        shift_id,
        started_at,
        ended_at,
        max(ended_at) over (
            partition by site_id, worker_id, shift_date, shift_id
            order by started_at asc, ended_at asc
            rows between unbounded preceding and 1 preceding
        ) as earlier_ended_at

    from {{ get_where_subquery(ref('state_intervals')) }}

)

select *
from intervals
where earlier_ended_at > started_at
