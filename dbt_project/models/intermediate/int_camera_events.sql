{{ config(database="scratch") }}

with affected_dates as (

    select * from {{ ref('int_affected_dates') }}

),

events as (

    select *
    from {{ ref('stg_raw__events') }}
    where {{ within_days('event_at', ref('int_affected_dates'), 'event_date') }}

),

affected_events as (

    select
        events.*,
        {{ hash_of(['events.event_at', 'events.worker_id']) }} as moment

    from events

    inner join affected_dates
        on events.site_id = affected_dates.site_id
        and {{ utc_date('events.event_at') }} = affected_dates.event_date

),

-- Most events are the only one of their worker and instant: they have no duplicate, and no other camera saw the scene.
-- Only the others are grouped and compared here and in the models that follow. (A hash that two moments happen to share
-- makes such others of events that are alone, which changes no result.)
crowded_moments as (

    select moment
    from affected_events
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

),

-- The largest pair of confidence and count, compared in that order, is the record that stays.
most_confident as (

    select
        site_id,
        event_at,
        worker_id,
        workstation_id,
        event_type,
        camera_id,
        model_name,
        model_version,
        max({{ pair('confidence', 'unit_count') }}) as best,
        -- Objects are numbered as they land: the smallest is the landing that brought the event first.
        min(object_id) as first_object_id

    from marked

    where is_crowded

    group by site_id, event_at, worker_id, workstation_id, event_type, camera_id, model_name, model_version

),

-- Of duplicates the first one counts (contract §3).
ranked as (

    select
        *,
        row_number() over (
            partition by site_id, event_at, worker_id, workstation_id, event_type
            order by best.first desc, best.second desc, camera_id asc, model_name asc, model_version asc
        ) as duplicate_rank

    from most_confident

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
    object_id as first_object_id,
    is_crowded,
    true as is_counted
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
    best.first as confidence,
    best.second as unit_count,
    first_object_id,
    true as is_crowded,
    duplicate_rank = 1 as is_counted
from ranked
