-- depends_on: {{ lists_of('date') }}

with camera_events as (

    select
        site_id,
        {{ utc_date('event_at') }} as event_date,
        camera_id,
        model_name,
        model_version,
        event_type,
        confidence

    from {{ ref('int_camera_events') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by site_id, event_date, camera_id, model_name, model_version
            order by confidence
        ) - 1 as confidences_before,
        count(*) over (
            partition by site_id, event_date, camera_id, model_name, model_version
            order by confidence
            rows between unbounded preceding and unbounded following
        ) - 1 as other_confidences

    from camera_events

),

-- The twentieths of the way from one confidence to the next at which the 5 % quantile lies (contract §6).
days as (

    select
        site_id,
        event_date,
        camera_id,
        model_name,
        model_version,
        count(*) as event_count,
        {{ exact_mean('confidence') }} as mean_confidence,
        max(case when confidences_before * 20 = other_confidences - other_confidences % 20 then confidence end)
            as lower_confidence,
        max(case when confidences_before * 20 = other_confidences - other_confidences % 20 + 20 then confidence end)
            as upper_confidence,
        max(other_confidences) % 20 as twentieths,
        count(*) filter (where event_type = 'working') as working_events,
        count(*) filter (where event_type = 'idle') as idle_events,
        count(*) filter (where event_type = 'absent') as absent_events,
        count(*) filter (where event_type = 'product_count') as product_count_events

    from ranked

    group by site_id, event_date, camera_id, model_name, model_version

)

select
    site_id,
    event_date,
    camera_id,
    model_name,
    model_version,
    event_count,
    mean_confidence,
    case
        when twentieths = 0 then lower_confidence
        else lower_confidence + (upper_confidence - lower_confidence) * (twentieths / 20e0)
    end as p05_confidence,
    working_events,
    idle_events,
    absent_events,
    product_count_events
from days
