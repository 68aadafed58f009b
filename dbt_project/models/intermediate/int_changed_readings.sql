{{ config(database="scratch") }}

with touched as (

    select * from {{ ref('int_touched_counters') }}

),

-- Nothing before this instant is read, so that the database skips the rest of a long history.
beginning as (

    select min(first_event_at) as begins_at from touched

),

records as (

    select
        events.site_id,
        events.camera_id,
        events.workstation_id,
        events.event_at,
        events.count_total

    from {{ ref('stg_raw__events') }} as events

    inner join touched
        on events.site_id = touched.site_id
        and events.camera_id = touched.camera_id
        and events.workstation_id = touched.workstation_id
        and events.event_at >= touched.first_event_at

    where
        events.count_total is not null
        and events.event_at >= (select beginning.begins_at from beginning)

),

-- Of several readings at one instant the largest counts. Other differences between them do not change the units.
readings as (

    select
        site_id,
        camera_id,
        workstation_id,
        event_at,
        max(count_total) as count_total

    from records

    group by site_id, camera_id, workstation_id, event_at

),

earlier as (

    select
        known.site_id,
        known.camera_id,
        known.workstation_id,
        max(known.event_at) as event_at

    from {{ readings_before() }} as known

    inner join touched
        on known.site_id = touched.site_id
        and known.camera_id = touched.camera_id
        and known.workstation_id = touched.workstation_id
        and known.event_at < touched.first_event_at

    group by known.site_id, known.camera_id, known.workstation_id

),

-- The reading before the first recomputed one carries all that is needed about earlier readings.
followed as (

    select
        site_id,
        camera_id,
        workstation_id,
        event_at,
        count_total,
        count_total as reached_total,
        true as is_computed

    from readings

    union all

    select
        known.site_id,
        known.camera_id,
        known.workstation_id,
        known.event_at,
        known.count_total,
        known.largest_total as reached_total,
        false as is_computed

    from {{ readings_before() }} as known

    inner join earlier
        on known.site_id = earlier.site_id
        and known.camera_id = earlier.camera_id
        and known.workstation_id = earlier.workstation_id
        and known.event_at = earlier.event_at

),

compared as (

    select
        *,
        lag(count_total) over (
            partition by site_id, camera_id, workstation_id
            order by event_at
        ) as previous_total

    from followed

),

-- A reading smaller than half of the one before it is a reset.
numbered as (

    select
        *,
        coalesce(count_total * 2 < previous_total, false) as is_reset,
        sum(case when count_total * 2 < previous_total then 1 else 0 end) over (
            partition by site_id, camera_id, workstation_id
            order by event_at
            rows between unbounded preceding and current row
        ) as reset_number

    from compared

),

reached as (

    select
        *,
        max(reached_total) over (
            partition by site_id, camera_id, workstation_id, reset_number
            order by event_at
            rows between unbounded preceding and 1 preceding
        ) as largest_before

    from numbered

)

select
    site_id,
    camera_id,
    workstation_id,
    event_at,
    count_total,
    greatest(count_total, coalesce(largest_before, count_total)) as largest_total,
    case
        when is_reset then count_total
        -- The units before the very first reading are unknown.
        when previous_total is null then 0
        else greatest(count_total - largest_before, 0)
    end as unit_count
from reached
where is_computed
