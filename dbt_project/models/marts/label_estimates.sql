{{ config(materialized="replaced", tags=["whole"]) }}

with event_days as (

    select * from {{ ref('int_event_days') }}

),

-- One row per sampled event, however many models reported it. Hand-picked events are not representative.
sampled as (

    select distinct
        site_id,
        event_key,
        {{ iso_week('event_date') }} as week_started_on,
        event_type,
        true_event_type

    from {{ ref('int_labelled_events') }}

    where is_sampled and not is_disputed

),

types as (

    {{ rows_of('event_type', var('event_types')) }}

),

weeks as (

    select
        site_id,
        {{ iso_week('event_date') }} as week_started_on,
        event_type,
        {{ whole_sum('event_count') }} as event_count

    from event_days

    group by site_id, {{ iso_week('event_date') }}, event_type

),

-- Each type that the cameras reported is a stratum, with its own sample of labels.
strata as (

    select
        weeks.site_id,
        weeks.week_started_on,
        weeks.event_type,
        weeks.event_count,
        {{ ratio(
            'weeks.event_count',
            'sum(weeks.event_count) over (partition by weeks.site_id, weeks.week_started_on)'
        ) }} as weight,
        count(sampled.event_key) as labelled_events

    from weeks

    left join sampled
        on
        weeks.site_id = sampled.site_id
        and weeks.week_started_on = sampled.week_started_on
        and weeks.event_type = sampled.event_type

    group by weeks.site_id, weeks.week_started_on, weeks.event_type, weeks.event_count

),

hits as (

    select
        site_id,
        week_started_on,
        event_type,
        true_event_type,
        count(*) as hits

    from sampled

    group by site_id, week_started_on, event_type, true_event_type

),

shares as (

    select
        strata.site_id,
        strata.week_started_on,
        types.event_type as true_event_type,
        strata.event_type,
        strata.event_count,
        strata.weight,
        strata.labelled_events,
        {{ ratio('coalesce(hits.hits, 0)', 'strata.labelled_events') }} as true_share,
        {{ wilson_low('coalesce(hits.hits, 0)', 'strata.labelled_events') }} as share_low,
        {{ wilson_high('coalesce(hits.hits, 0)', 'strata.labelled_events') }} as share_high

    from strata

    cross join types

    left join hits
        on
        strata.site_id = hits.site_id
        and strata.week_started_on = hits.week_started_on
        and strata.event_type = hits.event_type
        and types.event_type = hits.true_event_type

),

-- Weighted by the strata's shares of all events; the strata's intervals are combined by their squares.
combined as (

    select
        site_id,
        week_started_on,
        true_event_type as event_type,
        {{ whole_sum('case when event_type = true_event_type then event_count else 0 end') }} as event_count,
        {{ whole_sum('event_count') }} as total_events,
        {{ whole_sum('labelled_events') }} as labelled_events,
        min(labelled_events) as fewest_labelled_events,
        {{ exact_sum('weight * true_share') }} as estimated_share,
        sqrt({{ exact_sum('weight * weight * (true_share - share_low) * (true_share - share_low)') }}) as room_below,
        sqrt({{ exact_sum('weight * weight * (share_high - true_share) * (share_high - true_share)') }}) as room_above

    from shares

    group by site_id, week_started_on, true_event_type

)

select
    site_id,
    week_started_on,
    event_type,
    event_count,
    labelled_events,
    {{ ratio('event_count', 'total_events') }} as reported_share,
    case when fewest_labelled_events > 0 then estimated_share end as estimated_share,
    case when fewest_labelled_events > 0 then greatest(estimated_share - room_below, 0) end as estimated_share_low,
    case when fewest_labelled_events > 0 then least(estimated_share + room_above, 1) end as estimated_share_high
from combined
