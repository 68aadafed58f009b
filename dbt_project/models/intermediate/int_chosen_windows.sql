{{ config(database="scratch") }}

with events as (

    select *
    from {{ ref('int_sequenced_events') }}
    where is_person

),

crossings as (

    select *
    from {{ ref('int_crossings') }}
    where is_person

),

segments as (

    select * from {{ ref('int_window_segments') }}

),

choosers as (

    select subject_number
    from events
    where is_shared

    union

    select subject_number
    from crossings
    where is_shared

),

seen as (

    select
        events.subject_number,
        events.site_id,
        events.counted_at,
        events.segment_started_at,
        events.is_shared,
        lag(events.counted_at) over (partition by events.subject_number order by events.counted_at) as seen_before_at

    from events

    inner join choosers
        on events.subject_number = choosers.subject_number

),

moments as (

    select
        subject_number,
        site_id,
        counted_at as instant,
        segment_started_at,
        is_shared,
        counted_at as seen_at,
        -- The first known event counts as coming after a pause.
        case
            when coalesce(
                {{ microseconds_between('seen_before_at', 'counted_at') }}
                >= {{ minutes(var('arrival_pause_minutes')) }}, true
            ) then counted_at
        end as came_at

    from seen

    union all

    select
        subject_number,
        site_id,
        boundary_at as instant,
        boundary_at as segment_started_at,
        is_shared,
        cast(null as timestamp with time zone) as seen_at,
        cast(null as timestamp with time zone) as came_at

    from crossings

    where is_shared

),

-- A person without a long pause arrived at the first event in the time looked back on.
arrivals as (

    select
        *,
        coalesce(max(came_at) over recent, min(seen_at) over recent, instant) as arrived_at

    from moments

    window recent as (
        partition by subject_number
        order by {{ epoch_microseconds('instant') }}
        range between {{ var('arrival_memory_minutes') * 60000000 }} preceding and current row
    )

),

shared_arrivals as (

    select distinct
        subject_number,
        site_id,
        instant,
        segment_started_at,
        arrived_at

    from arrivals

    where is_shared

),

choices as (

    select distinct
        site_id,
        segment_started_at,
        arrived_at

    from shared_arrivals

),

-- People come a little early, or late: time before a start counts three times.
ranked as (

    select
        choices.*,
        segments.shift_date,
        segments.shift_id,
        segments.window_started_at,
        segments.window_ended_at,
        row_number() over (
            partition by choices.site_id, choices.segment_started_at, choices.arrived_at
            order by
                case
                    when choices.arrived_at < segments.window_started_at
                        then 3 * {{ microseconds_between('choices.arrived_at', 'segments.window_started_at') }}
                    else {{ microseconds_between('segments.window_started_at', 'choices.arrived_at') }}
                end asc,
                segments.window_started_at desc,
                segments.shift_id asc,
                segments.shift_date desc
        ) as choice_rank

    from choices

    inner join segments
        on choices.site_id = segments.site_id
        and choices.segment_started_at = segments.started_at

)

select
    shared_arrivals.subject_number,
    shared_arrivals.instant,
    ranked.shift_date,
    ranked.shift_id,
    ranked.window_started_at,
    ranked.window_ended_at
from shared_arrivals
inner join ranked
    on shared_arrivals.site_id = ranked.site_id
    and shared_arrivals.segment_started_at = ranked.segment_started_at
    and shared_arrivals.arrived_at = ranked.arrived_at
where ranked.choice_rank = 1
