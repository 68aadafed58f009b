-- depends_on: {{ lists_of('window') }}

with subject_stations as (

    select * from {{ ref('int_subject_stations') }}

),

subject_shifts as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        scheduled_microseconds,
        {{ whole_sum('units') }} as units,
        {{ whole_sum('showing_count') }} as showing_count,
        {{ whole_sum('active_microseconds') }} as active_microseconds,
        {{ whole_sum('active_microseconds + idle_microseconds') }} as present_microseconds,
        {{ whole_sum('observed_microseconds') }} as observed_microseconds

    from subject_stations

    group by site_id, shift_date, shift_id, subject_number, worker_id, scheduled_microseconds

),

workstation_counts as (

    select
        site_id,
        shift_date,
        shift_id,
        count(distinct workstation_id) as workstation_count

    from subject_stations

    group by site_id, shift_date, shift_id

),

-- A subject is a person, or a station with its own events.
subject_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        {{ whole_sum('active_microseconds') }} as productive_microseconds,
        {{ whole_sum('present_microseconds') }} as present_microseconds,
        {{ whole_sum('units') }} as units,
        {{ exact_mean(
            "case when worker_id is not null then " ~ ratio('active_microseconds', 'present_microseconds') ~ " end"
        ) }} as average_utilization,
        count(worker_id) as worker_count,
        {{ whole_sum('observed_microseconds') }} as observed_microseconds,
        sum(
            case when showing_count > 0 or observed_microseconds > 0 then scheduled_microseconds end
        ) as scheduled_microseconds

    from subject_shifts

    group by site_id, shift_date, shift_id

)

select
    subject_sums.site_id,
    subject_sums.shift_date,
    subject_sums.shift_id,
    cast({{ seconds('subject_sums.productive_microseconds') }} as double) as productive_seconds,
    subject_sums.units,
    cast(
        {{ per_hour('subject_sums.units', 'subject_sums.productive_microseconds') }} as double
    ) as units_per_productive_hour,
    subject_sums.average_utilization,
    {{ ratio('subject_sums.productive_microseconds', 'subject_sums.present_microseconds') }} as utilization,
    subject_sums.worker_count,
    workstation_counts.workstation_count,
    cast({{ seconds('subject_sums.observed_microseconds') }} as double) as observed_seconds,
    {{ ratio('subject_sums.observed_microseconds', 'cast(subject_sums.scheduled_microseconds as bigint)') }} as coverage
from subject_sums
inner join workstation_counts
    on subject_sums.site_id = workstation_counts.site_id
    and subject_sums.shift_date = workstation_counts.shift_date
    and subject_sums.shift_id = workstation_counts.shift_id
