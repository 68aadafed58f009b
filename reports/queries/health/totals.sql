-- Totals of everything that ever landed, by outcome.
with landed as (

    select
        count(*)::double as objects,
        coalesce(sum(bytes), 0)::double as bytes,
        coalesce(sum(records), 0)::double as records,
        coalesce(sum(accepted), 0)::double as accepted,
        coalesce(sum(rejected), 0)::double as rejected,
        coalesce(sum(accepted) filter (where starts_with(object_key, 'events/')), 0)::double as accepted_events
    from landed_objects

),

counted as (

    select coalesce(sum(event_count), 0)::double as events from worker_shifts

)

select
    landed.*,
    landed.accepted / nullif(landed.records, 0) as accepted_share,
    if(counted.events > 0, landed.accepted_events - counted.events, null) as duplicates
from landed
cross join counted
