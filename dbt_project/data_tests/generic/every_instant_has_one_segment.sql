{#- The segments of each listed date with events, cut at midnight, follow each other without gap or overlap. -#}
{% test every_instant_has_one_segment(model) %}

with segments as (

    select *
    from {{ ref('int_window_segments') }}
    where is_owner

),

segment_dates as (
    {{ on_each_date('segments') }}
),

cut as (

    select
        dates.site_id,
        dates.event_date,
        greatest(segments.started_at, {{ utc_midnight('dates.event_date') }}) as started_at,
        least(segments.ended_at, {{ utc_midnight('dates.event_date + interval 1 day') }}) as ended_at
    from {{ model }} as dates
    inner join {{ ref('int_event_dates') }} as event_dates
        on dates.site_id = event_dates.site_id
        and dates.event_date = event_dates.event_date
    left join segment_dates as segments
        on dates.site_id = segments.site_id
        and dates.event_date = segments.covered_on

),

chained as (

    select
        *,
        lag(ended_at) over (partition by site_id, event_date order by started_at) as earlier_ended_at,
        lead(started_at) over (partition by site_id, event_date order by started_at) as later_started_at
    from cut
    -- A segment that ends at midnight touches the date but contains no instant of it.
    where started_at is null or started_at < ended_at

)

select *
from chained
where
    started_at is null
    or started_at <> coalesce(earlier_ended_at, {{ utc_midnight('event_date') }})
    or ended_at <> coalesce(later_started_at, {{ utc_midnight('event_date + interval 1 day') }})

{% endtest %}
