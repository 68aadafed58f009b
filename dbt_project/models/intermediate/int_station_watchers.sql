{{ config(database="scratch") }}

with affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

shift_windows as (

    select * from {{ ref('int_shift_windows') }}

),

targeted_sites as (

    select distinct site_id from {{ ref('stg_raw__targets') }}

),

station_cameras as (

    select * from {{ ref('int_station_cameras') }}

),

numbers as (
    {{ numbers(var('camera_memory_days') + 3) }}
),

known_dates as (

    select
        shift_windows.*,
        cast({{ utc_date('shift_windows.ended_at') }} - numbers.number * interval 1 day as date) as event_date

    from shift_windows

    inner join affected_windows
        on shift_windows.site_id = affected_windows.site_id
        and shift_windows.shift_date = affected_windows.shift_date
        and shift_windows.shift_id = affected_windows.shift_id

    inner join targeted_sites
        on shift_windows.site_id = targeted_sites.site_id

    cross join numbers

)

-- A camera belongs to a station if it reported a state there in the window or in the days before it.
select distinct
    known_dates.site_id,
    known_dates.shift_date,
    known_dates.shift_id,
    known_dates.started_at,
    known_dates.ended_at,
    station_cameras.workstation_id,
    station_cameras.camera_id
from known_dates
inner join station_cameras
    on known_dates.site_id = station_cameras.site_id
    and known_dates.event_date = station_cameras.event_date
    and known_dates.ended_at > station_cameras.first_state_at
    and known_dates.started_at - interval 1 day * {{ var('camera_memory_days') }} <= station_cameras.last_state_at
