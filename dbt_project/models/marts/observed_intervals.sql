-- depends_on: {{ lists_of('window') }}

with vouched_time as (

    select * from {{ ref('int_vouched_time') }}

),

affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

-- A stretch that begins where the subject's previous one ended, at the same station, goes on with it.
begun as (

    select
        *,
        lag(ended_at) over same_subject = started_at
        and lag(workstation_id) over same_subject = workstation_id as goes_on

    from vouched_time

    window same_subject as (partition by site_id, shift_date, shift_id, subject_number order by started_at)

),

numbered as (

    select
        *,
        {{ stretch_number('goes_on', 'site_id, shift_date, shift_id, subject_number', 'started_at') }}
            as interval_number

    from begun

),

merged as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        {{ whole_sum('microseconds') }} as microseconds

    from numbered

    group by site_id, shift_date, shift_id, subject_number, worker_id, workstation_id, interval_number

)

select
    merged.site_id,
    merged.shift_date,
    merged.shift_id,
    merged.worker_id,
    merged.workstation_id,
    merged.started_at,
    merged.ended_at,
    cast({{ seconds('merged.microseconds') }} as double) as seconds
from merged
inner join affected_windows
    on merged.site_id = affected_windows.site_id
    and merged.shift_date = affected_windows.shift_date
    and merged.shift_id = affected_windows.shift_id
