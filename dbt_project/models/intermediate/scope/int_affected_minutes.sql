{{ config(database="scratch") }}

with readings as (

    select * from {{ ref('int_affected_readings') }}

)

select
    site_id,
    minute
from {{ ref('stg_raw__changed_minutes') }}

union

-- Both the minute that a reading shows and the one that it counts for: an instant before.
select
    site_id,
    {{ utc_minute('event_at') }} as minute
from readings

union

select
    site_id,
    {{ utc_minute(add_microseconds('event_at', -1)) }} as minute
from readings
