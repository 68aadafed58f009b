-- One row per worker, state and stretch that is either seen or not, of the last 31 shift dates, a file for each site, shift
-- date and shift: a shift's timeline is one small file, read only when somebody opens it. `is_seen`: an event vouches for
-- the worker (or the station itself) in this stretch; elsewhere the state is only assumed to last.
with newest as (

    select max(shift_date) as shift_date from site_shifts

),

workers as (

    select
        site_id,
        worker_id,
        arg_max(worker_name, shift_date) as worker_name
    from worker_shifts
    group by all

),

stations as (

    select
        site_id,
        workstation_id,
        arg_max(workstation_name, shift_date) as workstation_name
    from workstation_shifts
    group by all

),

states as (

    select
        row_number() over () as number,
        state_intervals.*,
        -- a station's own states are about the station
        coalesce('w' || worker_id, 's' || workstation_id) as subject
    from state_intervals
    cross join newest
    where state_intervals.shift_date > newest.shift_date - 31 and state_intervals.ended_at > state_intervals.started_at

),

observed as (

    select
        *,
        coalesce('w' || worker_id, 's' || workstation_id) as subject
    from observed_intervals

),

seen as (

    select
        states.number,
        states.started_at as state_at,
        greatest(states.started_at, observed.started_at) as started_at,
        least(states.ended_at, observed.ended_at) as ended_at
    from states
    inner join observed
        on states.site_id = observed.site_id
        and states.shift_date = observed.shift_date
        and states.shift_id = observed.shift_id
        and states.subject = observed.subject
        and observed.started_at < states.ended_at
        and observed.ended_at > states.started_at

),

-- what lies before each seen stretch, and behind the last one
unseen as (

    select
        number,
        coalesce(lag(ended_at) over (partition by number order by started_at, ended_at), state_at) as started_at,
        started_at as ended_at
    from (
        select *
        from seen
        union all
        select
            number,
            started_at as state_at,
            ended_at as started_at,
            ended_at
        from states
    )

),

stretches as (

    select
        number,
        started_at,
        ended_at,
        true as is_seen
    from seen
    union all
    select
        number,
        started_at,
        ended_at,
        false as is_seen
    from unseen
    where ended_at > started_at

)

select
    states.site_id || '/' || strftime(states.shift_date, '%Y-%m-%d') || '/' || states.shift_id as part,
    states.site_id,
    states.shift_date,
    states.shift_id,
    states.worker_id,
    coalesce(workers.worker_name, states.worker_id) as worker_name,
    states.workstation_id,
    coalesce(stations.workstation_name, states.workstation_id) as workstation_name,
    states.state,
    stretches.is_seen,
    epoch_ms(stretches.started_at) as started_ms,
    cast(epoch_ms(stretches.ended_at) - epoch_ms(stretches.started_at) as integer) as lasted_ms
from stretches
inner join states
    on stretches.number = states.number
left join workers
    on states.site_id = workers.site_id and states.worker_id = workers.worker_id
left join stations
    on states.site_id = stations.site_id and states.workstation_id = stations.workstation_id
order by part, states.worker_id, stretches.started_at
