-- One row per site and station of its newest started window, with a target or seen: units so far, and its state at the
-- newest landing and since when (NULL: nobody was seen there by then). A state counts only while somebody vouches for it.
with newest as (

    select
        site_id,
        shift_date,
        shift_id
    from plant.site_windows
    where shift_id <> 'unscheduled'
    qualify row_number() over (
        partition by site_id order by shift_date desc, started_ms desc nulls last, shift_id
    ) = 1

),

as_of as (

    select date_trunc('minute', max(landed_at)) as as_of
    from landed_objects

),

seen as (

    select workstation_shifts.*
    from workstation_shifts
    inner join newest using (site_id, shift_date, shift_id)

),

targeted as (

    select station_targets.*
    from station_targets
    inner join newest using (site_id, shift_date, shift_id)

),

states as (

    select
        intervals.site_id,
        intervals.workstation_id,
        intervals.state,
        make_timestamptz(1000 * intervals.started_ms) as started_at,
        least(make_timestamptz(1000 * (intervals.started_ms + intervals.lasted_ms)), as_of.as_of) as ended_at,
        as_of.as_of
    from plant.intervals
    inner join newest
        on
            intervals.site_id = newest.site_id
            and intervals.shift_date = newest.shift_date
            and intervals.shift_id = newest.shift_id
    cross join as_of
    where intervals.is_seen and intervals.started_ms <= epoch_ms(as_of.as_of)

),

-- a repeated state is one stretch
begun as (

    select
        *,
        started_at > coalesce(
            max(ended_at) over (
                partition by site_id, workstation_id, state
                order by started_at, ended_at
                rows between unbounded preceding and 1 preceding
            ),
            timestamptz '1970-01-01 00:00:00+00'
        ) as is_new
    from states

),

numbered as (

    select
        *,
        count(*) filter (where is_new) over (
            partition by site_id, workstation_id, state order by started_at, ended_at
        ) as stretch
    from begun

),

stretches as (

    select
        site_id,
        workstation_id,
        state,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        any_value(as_of) as as_of
    from numbered
    group by site_id, workstation_id, state, stretch

),

-- of simultaneous states at a station, working comes first
current_states as (

    select *
    from stretches
    qualify row_number() over (
        partition by site_id, workstation_id
        order by ended_at >= as_of desc, if(ended_at >= as_of, 0, 1), state = 'working' desc, state = 'idle' desc, ended_at desc
    ) = 1

)

select
    site_id,
    workstation_id,
    coalesce(targeted.workstation_name, seen.workstation_name) as workstation_name,
    coalesce(targeted.line, seen.line) as line,
    coalesce(targeted.units, seen.units, 0) as units,
    targeted.target_units,
    targeted.target_units_so_far,
    targeted.units - targeted.target_units_so_far as gap,
    targeted.units / nullif(targeted.target_units_so_far, 0) as attainment,
    targeted.units * targeted.target_units / nullif(targeted.target_units_so_far, 0) as projected_units,
    seen.observed_seconds < 0.9 * seen.staffed_seconds as is_thin,
    seen.observed_seconds / nullif(seen.staffed_seconds, 0) as evidence,
    targeted.not_seen_seconds,
    targeted.unstaffed_seconds,
    case when current_states.ended_at >= current_states.as_of then current_states.state end as state,
    epoch_ms(
        case
            when current_states.ended_at >= current_states.as_of then current_states.started_at
            else (select max(stretches.ended_at) from stretches
                where stretches.site_id = current_states.site_id and stretches.workstation_id = current_states.workstation_id)
        end
    ) as since_ms
from seen
full outer join targeted using (site_id, workstation_id)
left join current_states using (site_id, workstation_id)
order by site_id, workstation_name, workstation_id
