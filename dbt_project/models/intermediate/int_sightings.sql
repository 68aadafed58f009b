{{ config(database="scratch", materialized="view") }}

with affected_dates as (

    select * from {{ ref('int_affected_dates') }}

),

counter_readings as (

    select *
    from {{ ref('int_counter_readings') }}
    where {{ within_days('event_at', ref('int_affected_dates'), 'event_date') }}

),

events as (

    select *
    from {{ ref('stg_raw__events') }}
    where {{ within_days('event_at', ref('int_affected_dates'), 'event_date') }}

),

affected_events as (

    select
        events.*,
        {{ hash_of(['events.event_at', 'coalesce(events.worker_id, events.workstation_id)']) }} as moment

    from events

    inner join affected_dates
        on events.site_id = affected_dates.site_id
        and {{ utc_date('events.event_at') }} = affected_dates.event_date

),

-- Most events are alone: no other event has their subject and instant, so they have no duplicate and no second camera.
-- Only crowded events are grouped and compared, here and in later models. (A hash collision marks events as crowded
-- that are alone, which changes no result.)
crowded_moments as (

    select moment
    from affected_events
    where count_total is null
    group by moment
    having count(*) > 1

),

marked as (

    select
        affected_events.*,
        crowded_moments.moment is not null as is_crowded

    from affected_events

    left join crowded_moments
        on affected_events.moment = crowded_moments.moment

    where affected_events.count_total is null

),

most_confident as (

    select
        site_id,
        event_at,
        worker_id,
        workstation_id,
        event_type,
        event_id,
        camera_id,
        model_name,
        model_version,
        {{ best_of_one_camera() }} as best,
        -- Object ids grow with each landing, so the smallest is the landing that brought the event first.
        min(object_id) as first_object_id

    from marked

    where is_crowded

    group by site_id, event_at, worker_id, workstation_id, event_type, event_id, camera_id, model_name, model_version

),

-- Products that differ in `event_id` become one event with the sum of their counts.
summed as (

    select
        site_id,
        event_at,
        worker_id,
        workstation_id,
        event_type,
        camera_id,
        model_name,
        model_version,
        max(best.first) as confidence,
        {{ whole_sum('best.second') }} as unit_count,
        min(first_object_id) as first_object_id

    from most_confident

    group by site_id, event_at, worker_id, workstation_id, event_type, camera_id, model_name, model_version

),

-- One of a counter's readings at one instant is kept; readings are duplicates of no other event.
ranked_readings as (

    select
        *,
        row_number() over (
            partition by site_id, camera_id, workstation_id, event_at
            order by {{ best_reading() }}
        ) as reading_rank,
        min(object_id) over (partition by site_id, camera_id, workstation_id, event_at) as first_object_id

    from affected_events

    where count_total is not null

)

select
    site_id,
    event_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count,
    count_total,
    object_id as first_object_id,
    is_crowded
from marked
where not is_crowded

union all

select
    site_id,
    event_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count,
    cast(null as bigint) as count_total,
    first_object_id,
    true as is_crowded
from summed

union all

select
    ranked_readings.site_id,
    ranked_readings.event_at,
    ranked_readings.worker_id,
    ranked_readings.workstation_id,
    ranked_readings.event_type,
    ranked_readings.camera_id,
    ranked_readings.model_name,
    ranked_readings.model_version,
    ranked_readings.confidence,
    counter_readings.unit_count,
    ranked_readings.count_total,
    ranked_readings.first_object_id,
    false as is_crowded
from ranked_readings
inner join counter_readings
    on ranked_readings.site_id = counter_readings.site_id
    and ranked_readings.camera_id = counter_readings.camera_id
    and ranked_readings.workstation_id = counter_readings.workstation_id
    and ranked_readings.event_at = counter_readings.event_at
where ranked_readings.reading_rank = 1
