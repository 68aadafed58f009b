-- What registry changes caused to be recomputed. A rebuild recomputes nothing because of a registry.
{{ config(materialized="replaced", tags=["whole"]) }}

with batch as (

    select * from {{ source('build', 'batch') }}

),

-- One row if a version in force is new; otherwise none, and nothing is searched.
new_versions as (

    select distinct 1 as number
    from {{ ref('stg_raw__registry_versions') }}
    where shift_dates_recomputed is null

),

event_dates as (

    select
        site_id,
        event_date
    from {{ ref('int_event_dates') }}

    union

    select
        site_id,
        event_date
    from {{ source('build', 'event_dates') }}

),

segments as (

    select
        known.site_id,
        known.started_at,
        known.ended_at,
        known.shift_date,
        known.shift_id

    from {{ ref('int_window_segments') }} as known

    cross join new_versions

),

segments_before as (

    select
        known.site_id,
        known.started_at,
        known.ended_at,
        known.shift_date,
        known.shift_id

    from {{ source('build', 'window_segments') }} as known

    cross join new_versions

),

changed_segments as (

    {{ changed_rows('segments', 'segments_before') }}

),

moved_segments as (
    {{ on_each_date('changed_segments') }}
),

segment_dates as (
    {{ on_each_date('segments') }}
),

segment_dates_before as (
    {{ on_each_date('segments_before') }}
),

-- Dates with their first events had no windows before.
covered_before as (

    select distinct
        site_id,
        covered_on

    from segment_dates_before

),

moved_windows as (

    select distinct
        moved_segments.site_id,
        moved_segments.shift_date,
        moved_segments.shift_id

    from moved_segments

    inner join event_dates
        on moved_segments.site_id = event_dates.site_id
        and moved_segments.covered_on = event_dates.event_date

    inner join covered_before
        on moved_segments.site_id = covered_before.site_id
        and moved_segments.covered_on = covered_before.covered_on

),

worker_windows as (

    select distinct
        worker_shifts.site_id,
        worker_shifts.shift_date,
        worker_shifts.shift_id

    from {{ ref('int_worker_station_history') }} as worker_shifts

    inner join {{ ref('int_affected_workers') }} as workers
        on worker_shifts.site_id = workers.site_id
        and worker_shifts.worker_id = workers.worker_id

),

station_windows as (

    select distinct
        workstation_shifts.site_id,
        workstation_shifts.shift_date,
        workstation_shifts.shift_id

    from {{ ref('int_workstation_shift_history') }} as workstation_shifts

    inner join {{ ref('int_affected_workstations') }} as workstations
        on workstation_shifts.site_id = workstations.site_id
        and workstation_shifts.workstation_id = workstations.workstation_id

),

moved_cameras as (

    {{ changed_cameras() }}

),

-- The recomputed windows on whose dates an event of such a camera arrived.
camera_windows as (

    select distinct
        affected_windows.site_id,
        affected_windows.shift_date,
        affected_windows.shift_id

    from moved_cameras

    inner join {{ ref('int_camera_dates') }} as camera_dates
        on moved_cameras.site_id = camera_dates.site_id
        and moved_cameras.camera_id = camera_dates.camera_id

    inner join segment_dates
        on camera_dates.site_id = segment_dates.site_id
        and camera_dates.event_date = segment_dates.covered_on

    inner join {{ ref('int_affected_windows') }} as affected_windows
        on segment_dates.site_id = affected_windows.site_id
        and segment_dates.shift_date = affected_windows.shift_date
        and segment_dates.shift_id = affected_windows.shift_id

),

station_files as (

    select 'workstations.csv' as file_name
    union all
    select 'targets.csv' as file_name
    union all
    select 'closures.csv' as file_name

),

-- What a file's change can affect: shift times, workers' names, stations' names and targets, and which events count.
-- accepted.csv, baselines.csv, booked.csv, contacts.csv and released.csv change no shift.
effects as (

    select
        'sites.csv' as file_name,
        moved_windows.shift_date,
        concat(moved_windows.site_id, ' ', cast(moved_windows.shift_date as varchar)) as site_date
    from moved_windows

    union all

    select
        'shifts.csv' as file_name,
        moved_windows.shift_date,
        concat(moved_windows.site_id, ' ', cast(moved_windows.shift_date as varchar)) as site_date
    from moved_windows

    union all

    select
        'workers.csv' as file_name,
        worker_windows.shift_date,
        concat(worker_windows.site_id, ' ', cast(worker_windows.shift_date as varchar)) as site_date
    from worker_windows

    union all

    select
        station_files.file_name,
        station_windows.shift_date,
        concat(station_windows.site_id, ' ', cast(station_windows.shift_date as varchar)) as site_date
    from station_windows
    cross join station_files

    union all

    select
        'cameras.csv' as file_name,
        camera_windows.shift_date,
        concat(camera_windows.site_id, ' ', cast(camera_windows.shift_date as varchar)) as site_date
    from camera_windows

)

select
    effects.file_name,
    count(distinct effects.site_date) as shift_dates,
    count(*) as shifts,
    min(effects.shift_date) as first_date,
    max(effects.shift_date) as last_date
from effects
inner join batch
    on not batch.is_full
group by effects.file_name
