{{ config(materialized="affected") }}

with segments as (

    select * from {{ ref('int_segment_dates') }}

),

segments_before as (

    select * from {{ source('build', 'segment_dates') }}

),

changed_minutes as (

    select * from {{ ref('int_affected_minutes') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

of_changed_minutes as (

    select
        segments.site_id,
        segments.shift_date,
        segments.shift_id

    from changed_minutes

    inner join segments
        on changed_minutes.site_id = segments.site_id
        and {{ utc_date('changed_minutes.minute') }} = segments.covered_on
        and changed_minutes.minute >= segments.started_at
        and changed_minutes.minute < segments.ended_at

),

-- What a counter reads at midnight was made on the date before.
event_dates_before as (

    select
        site_id,
        event_date
    from {{ source('build', 'event_dates') }}

    union

    select
        site_id,
        cast(event_date - interval 1 day as date) as event_date
    from {{ source('build', 'event_dates') }}

),

-- Where the calendar cuts time otherwise than before, the windows of then lose what those of now gain.
moved_segments as (

    {{ changed_rows('segments', 'segments_before') }}

),

-- Only dates that had events then have rows to lose; what has come since are changed minutes.
moved_windows as (

    select distinct
        moved_segments.site_id,
        moved_segments.shift_date,
        moved_segments.shift_id

    from moved_segments

    inner join event_dates_before
        on moved_segments.site_id = event_dates_before.site_id
        and moved_segments.covered_on = event_dates_before.event_date

),

since_last_batch as (

    select
        site_id,
        shift_date,
        shift_id
    from of_changed_minutes

    union

    select
        site_id,
        shift_date,
        shift_id
    from moved_windows

)

select
    since_last_batch.site_id,
    since_last_batch.shift_date,
    since_last_batch.shift_id
from since_last_batch
inner join batch
    on not batch.is_full

union

select
    segments.site_id,
    segments.shift_date,
    segments.shift_id
from segments
inner join batch
    on batch.is_full
    and segments.shift_date >= batch.first_date
    and segments.shift_date <= batch.last_date
