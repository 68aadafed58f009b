{{ config(database="scratch") }}

with readings as (

    select
        site_id,
        event_at
    from {{ ref('int_affected_readings') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

moved_rows as (

    {{ changed_cameras() }}

),

-- Cameras whose registry rows changed: all their events may count differently.
moved_cameras as (

    select distinct
        moved_rows.site_id,
        moved_rows.camera_id

    from moved_rows

    inner join batch
        on not batch.is_full

),

moved_events as (

    select
        events.site_id,
        events.event_at

    from {{ ref('stg_raw__events') }} as events

    inner join moved_cameras
        on events.site_id = moved_cameras.site_id
        and events.camera_id = moved_cameras.camera_id

),

instants as (

    select * from readings
    union all
    select * from moved_events

)

select
    site_id,
    minute
from {{ ref('stg_raw__changed_minutes') }}

union

select
    site_id,
    {{ utc_minute('event_at') }} as minute
from instants

union

-- A reading counts for the minute that ends at its timestamp.
select
    site_id,
    {{ utc_minute(add_microseconds('event_at', -1)) }} as minute
from instants
