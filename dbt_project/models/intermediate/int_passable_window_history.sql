{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "window", "day": "shift_date"}) }}
-- depends_on: {{ lists_of('window') }}

with crossings as (

    select * from {{ ref('int_crossings') }}

),

segments as (

    select * from {{ ref('int_window_segments') }}

),

affected_windows as (

    select * from {{ ref('int_affected_windows') }}

)

select distinct
    segments.site_id,
    segments.shift_date,
    segments.shift_id,
    segments.window_started_at,
    segments.window_ended_at
from crossings
inner join segments
    on crossings.site_id = segments.site_id
    and crossings.boundary_at = segments.ended_at
    and crossings.boundary_at = segments.window_ended_at
inner join affected_windows
    on segments.site_id = affected_windows.site_id
    and segments.shift_date = affected_windows.shift_date
    and segments.shift_id = affected_windows.shift_id
-- A state may enter an overlapping window from each of the others, until the last segment begins.
where
    crossings.state_at is null
    or crossings.state_at < case when segments.is_plain then segments.window_started_at else segments.started_at end
