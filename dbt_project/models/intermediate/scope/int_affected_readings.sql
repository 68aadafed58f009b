{{ config(materialized="incremental", incremental_strategy="affected") }}

with touched as (

    select * from {{ ref('int_touched_counters') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

readings as (

    select * from {{ ref('int_changed_readings') }}

),

readings_before as (

    select known.*

    from {{ readings_before() }} as known

    inner join touched
        on known.site_id = touched.site_id
        and known.camera_id = touched.camera_id
        and known.workstation_id = touched.workstation_id
        and known.event_at >= touched.first_event_at

),

changed as (

    {{ changed_rows('readings', 'readings_before') }}

)

select distinct
    changed.site_id,
    changed.camera_id,
    changed.workstation_id,
    changed.event_at
from changed
inner join batch
    on not batch.is_full
