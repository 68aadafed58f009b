{{ config(database="scratch") }}

select
    site_id,
    shift_date,
    shift_id,
    subject_number,
    worker_id,
    scheduled_microseconds,
    {{ whole_sum('units') }} as units,
    {{ whole_sum('event_count') }} as event_count,
    {{ whole_sum('showing_count') }} as showing_count,
    {{ whole_sum('active_microseconds') }} as active_microseconds,
    {{ whole_sum('idle_microseconds') }} as idle_microseconds,
    {{ whole_sum('absent_microseconds') }} as absent_microseconds,
    {{ whole_sum('active_microseconds + idle_microseconds') }} as present_microseconds,
    {{ whole_sum('active_microseconds + idle_microseconds + absent_microseconds') }} as tracked_microseconds,
    {{ whole_sum('observed_microseconds') }} as observed_microseconds
from {{ ref('int_subject_stations') }}
group by site_id, shift_date, shift_id, subject_number, worker_id, scheduled_microseconds
