-- One row per field that records carried and the contract does not know.
with fields as (

    select
        unnest(unexpected_fields) as field,
        landed_at at time zone 'UTC' as landed_at
    from landed_objects

)

select
    field,
    count(*) as objects,
    max(landed_at) as last_landed_at
from fields
group by field
order by field
