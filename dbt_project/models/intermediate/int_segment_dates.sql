{{ config(tags=["calendar"]) }}

with segments as (

    select * from {{ ref('int_window_segments') }}

),

numbers as (
    {{ numbers(2) }}
)

select
    segments.site_id,
    segments.started_at,
    segments.ended_at,
    segments.shift_date,
    segments.shift_id,
    segments.window_started_at,
    segments.window_ended_at,
    segments.hour_shift,
    segments.is_owner,
    segments.is_shared,
    segments.is_plain,
    cast({{ utc_date('segments.started_at') }} + numbers.number * interval 1 day as date) as covered_on
from segments
inner join numbers
    on {{ utc_date('segments.started_at') }} + numbers.number * interval 1 day
    <= {{ utc_date('segments.ended_at') }}
