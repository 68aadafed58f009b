-- depends_on: {{ lists_of('date') }}
{%- set most_events = 10000 %}
{%- set second = 1000000 %}
{%- set most_lag = 21 * second // 2 %}

with steps as (

    {{ numbers(2) }}

),

centres as (

    {{ numbers(18) }}

),

camera_events as (

    select
        *,
        case when event_type = 'product_count' then 'counts' else 'states' end as kind

    from {{ ref('int_camera_events') }}

    where is_counted

),

-- Each camera's events of one kind at one station and date. A flood would make a square of pairs, so only the first
-- events of a day are compared.
numbered as (

    select
        site_id,
        {{ utc_date('event_at') }} as event_date,
        workstation_id,
        kind,
        camera_id,
        event_at,
        -- States of two people do not repeat each other. A missing worker is the station itself.
        case when kind = 'states' then coalesce(worker_id, '') else '' end as subject,
        has_twins,  -- its duplicates are removed already
        row_number() over (
            partition by site_id, {{ utc_date('event_at') }}, workstation_id, kind, camera_id
            order by event_at, worker_id, event_type, count_total
        ) as event_number

    from camera_events

),

compared as (

    select
        *,
        {{ microseconds_between(utc_midnight('event_date'), 'event_at') }} as after_midnight

    from numbered

    where event_number <= {{ most_events }}

),

cameras as (

    select
        site_id,
        event_date,
        workstation_id,
        kind,
        camera_id,
        count(*) as event_count

    from compared

    group by site_id, event_date, workstation_id, kind, camera_id

),

pairs as (

    select
        cameras.site_id,
        cameras.event_date,
        cameras.workstation_id,
        cameras.kind,
        cameras.camera_id,
        other_cameras.camera_id as other_camera_id,
        cameras.event_count,
        other_cameras.event_count as other_event_count

    from cameras

    inner join cameras as other_cameras
        on cameras.site_id = other_cameras.site_id
        and cameras.event_date = other_cameras.event_date
        and cameras.workstation_id = other_cameras.workstation_id
        and cameras.kind = other_cameras.kind
        and cameras.camera_id < other_cameras.camera_id

),

-- Events less than 10.5 s apart lie in the same stretch of 11 s or in neighbouring ones, so the search is an equality
-- join.
first_events as (

    select
        pairs.other_camera_id,
        compared.*,
        {{ whole_quotient('compared.after_midnight', 11 * second) }} + steps.number - 1 as stretch

    from pairs

    inner join compared
        on pairs.site_id = compared.site_id
        and pairs.event_date = compared.event_date
        and pairs.workstation_id = compared.workstation_id
        and pairs.kind = compared.kind
        and pairs.camera_id = compared.camera_id

    cross join steps

    where not compared.has_twins

),

apart as (

    select
        first_events.site_id,
        first_events.event_date,
        first_events.workstation_id,
        first_events.kind,
        first_events.camera_id,
        first_events.other_camera_id,
        other_events.after_midnight - first_events.after_midnight as lag_microseconds

    from first_events

    inner join compared as other_events
        on first_events.site_id = other_events.site_id
        and first_events.event_date = other_events.event_date
        and first_events.workstation_id = other_events.workstation_id
        and first_events.kind = other_events.kind
        and first_events.other_camera_id = other_events.camera_id
        and first_events.subject = other_events.subject
        and first_events.stretch = {{ whole_quotient('other_events.after_midnight', 11 * second) }}

    where not other_events.has_twins

),

-- Lags in whole seconds, 10 s at most.
near as (

    select
        *,
        {{ whole_quotient('lag_microseconds + ' ~ most_lag, second) }} - 10 as lag_seconds

    from apart

    where
        lag_microseconds >= -{{ most_lag }}
        and lag_microseconds < {{ most_lag }}
        -- Two states of one instant are a sighting that cameras share and disagree on (model_comparison).
        and (kind = 'counts' or lag_microseconds <> 0)

),

lags as (

    select
        site_id,
        event_date,
        workstation_id,
        kind,
        camera_id,
        other_camera_id,
        lag_seconds,
        count(*) as event_pairs,
        cast(sum(count(*)) over (
            partition by site_id, event_date, workstation_id, kind, camera_id, other_camera_id
        ) as bigint) as all_pairs,
        {{ whole_sum('lag_microseconds') }} as lag_microseconds

    from near

    group by site_id, event_date, workstation_id, kind, camera_id, other_camera_id, lag_seconds

),

-- A jitter of the clocks spreads one lag over three seconds.
around as (

    select
        lags.site_id,
        lags.event_date,
        lags.workstation_id,
        lags.kind,
        lags.camera_id,
        lags.other_camera_id,
        centres.number - 9 as centre,
        {{ whole_sum('lags.event_pairs') }} as event_pairs,
        max(lags.all_pairs) as all_pairs,
        {{ whole_sum('lags.lag_microseconds') }} as lag_microseconds

    from lags

    inner join centres
        on lags.lag_seconds between centres.number - 10 and centres.number - 8

    group by
        lags.site_id, lags.event_date, lags.workstation_id, lags.kind, lags.camera_id, lags.other_camera_id,
        centres.number

),

ranked as (

    select
        *,
        row_number() over (
            partition by site_id, event_date, workstation_id, kind, camera_id, other_camera_id
            order by event_pairs desc, abs(centre) asc, centre asc
        ) as peak_rank

    from around

),

-- The other 18 seconds show how many pairs chance makes in 3.
peaks as (

    select
        *,
        {{ whole_quotient('all_pairs - event_pairs', 6) }} as chance_pairs

    from ranked

    where peak_rank = 1

),

judged as (

    select
        pairs.*,
        peaks.event_pairs,
        peaks.lag_microseconds,
        coalesce(peaks.chance_pairs, 0) as chance_pairs,
        greatest(least(
            coalesce(peaks.event_pairs - peaks.chance_pairs, 0), pairs.event_count, pairs.other_event_count
        ), 0) as near_duplicates

    from pairs

    left join peaks
        on pairs.site_id = peaks.site_id
        and pairs.event_date = peaks.event_date
        and pairs.workstation_id = peaks.workstation_id
        and pairs.kind = peaks.kind
        and pairs.camera_id = peaks.camera_id
        and pairs.other_camera_id = peaks.other_camera_id

)

select
    site_id,
    event_date,
    workstation_id,
    camera_id,
    other_camera_id,
    kind,
    event_count,
    other_event_count,
    near_duplicates,
    chance_pairs,
    {{ ratio('near_duplicates', 'least(event_count, other_event_count)') }} as near_duplicate_share,
    cast({{ seconds('lag_microseconds') }} as double) / event_pairs as offset_seconds
from judged
