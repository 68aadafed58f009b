-- depends_on: {{ lists_of('camera_date') }}

with camera_dates as (

    select * from {{ ref('int_camera_dates') }}

),

spans as (

    select * from {{ ref('int_camera_spans') }}

),

stretches as (

    select * from {{ ref('int_scheduled_stretches') }}

),

-- Time after the newest event of a site that was not ahead of the clock cannot be judged yet.
judged as (

    select
        site_id,
        max(heard_until) as judged_until

    from {{ ref('int_event_dates') }}

    group by site_id

),

judged_stretches as (

    select
        stretches.site_id,
        stretches.event_date,
        stretches.started_at,
        least(stretches.ended_at, judged.judged_until) as ended_at

    from stretches

    inner join judged
        on stretches.site_id = judged.site_id
        and stretches.started_at < judged.judged_until

),

scheduled as (

    select
        site_id,
        event_date,
        {{ whole_sum(microseconds_between('started_at', 'ended_at')) }} as scheduled_microseconds

    from judged_stretches

    group by site_id, event_date

),

silences as (

    select
        spans.site_id,
        spans.event_date,
        spans.camera_id,
        greatest({{ microseconds_between(
            'greatest(spans.started_at, judged_stretches.started_at)',
            'least(spans.ended_at, judged_stretches.ended_at)'
        ) }}, 0) as silent_microseconds,
        greatest({{ microseconds_between(
            'greatest(' ~ add_microseconds('spans.started_at', 'spans.vouched_microseconds')
                ~ ', judged_stretches.started_at)',
            'least(spans.ended_at, judged_stretches.ended_at)'
        ) }}, 0) as uncovered_microseconds

    from spans

    inner join judged_stretches
        on spans.site_id = judged_stretches.site_id
        and spans.event_date = judged_stretches.event_date

),

camera_sums as (

    select
        site_id,
        event_date,
        camera_id,
        max(silent_microseconds) as longest_silence_microseconds,
        {{ whole_sum('uncovered_microseconds') }} as uncovered_microseconds

    from silences

    group by site_id, event_date, camera_id

),

days as (

    select distinct
        site_id,
        event_date,
        camera_id

    from spans

),

joined as (

    select
        days.site_id,
        days.event_date,
        days.camera_id,
        camera_sums.longest_silence_microseconds,
        coalesce(scheduled.scheduled_microseconds, 0) as scheduled_microseconds,
        coalesce(scheduled.scheduled_microseconds - camera_sums.uncovered_microseconds, 0) as covered_microseconds,
        coalesce(camera_dates.event_count, 0) as event_count,
        coalesce(camera_dates.late_events, 0) as late_events,
        camera_dates.first_event_at,
        camera_dates.last_event_at,
        case when camera_dates.event_count is null then 0 else camera_dates.station_events end as station_events,
        camera_dates.least_lateness_microseconds,
        camera_dates.p50_lateness_microseconds,
        camera_dates.p95_lateness_microseconds

    from days

    left join scheduled
        on days.site_id = scheduled.site_id
        and days.event_date = scheduled.event_date

    left join camera_sums
        on days.site_id = camera_sums.site_id
        and days.event_date = camera_sums.event_date
        and days.camera_id = camera_sums.camera_id

    left join camera_dates
        on days.site_id = camera_dates.site_id
        and days.event_date = camera_dates.event_date
        and days.camera_id = camera_dates.camera_id

)

select
    site_id,
    event_date,
    camera_id,
    event_count,
    first_event_at,
    last_event_at,
    cast({{ seconds('scheduled_microseconds') }} as double) as scheduled_seconds,
    cast({{ seconds('covered_microseconds') }} as double) as covered_seconds,
    {{ ratio('covered_microseconds', 'scheduled_microseconds') }} as coverage,
    cast({{ seconds(
        "case when scheduled_microseconds > 0 then case when longest_silence_microseconds >= "
        ~ minutes(var('camera_silence_minutes')) ~ " then longest_silence_microseconds else 0 end end"
    ) }} as double) as longest_silence_seconds,
    late_events,
    {{ ratio('late_events', 'event_count') }} as late_share,
    cast({{ seconds('p50_lateness_microseconds') }} as double) as p50_lateness_seconds,
    cast({{ seconds('p95_lateness_microseconds') }} as double) as p95_lateness_seconds,
    case
        when least_lateness_microseconds <= {{ minutes(var('clock_offset_horizon_hours') * 60) }}
            then cast({{ seconds('-least_lateness_microseconds') }} as double)
    end as clock_offset_seconds,
    station_events
from joined
