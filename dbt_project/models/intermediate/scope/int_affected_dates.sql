{{ config(materialized="affected") }}

with windows as (

    select * from {{ ref('int_affected_windows') }}

),

changed_minutes as (

    select * from {{ ref('stg_raw__changed_minutes') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

segments as (

    select * from {{ ref('int_segment_dates') }}
    union all
    select * from {{ source('build', 'segment_dates') }}

)

select
    changed_minutes.site_id,
    {{ utc_date('changed_minutes.minute') }} as event_date
from changed_minutes
inner join batch
    on not batch.is_full

union

select
    segments.site_id,
    segments.covered_on as event_date
from segments
inner join windows
    on segments.site_id = windows.site_id
    and segments.shift_date = windows.shift_date
    and segments.shift_id = windows.shift_id
