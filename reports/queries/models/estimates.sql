-- One row per site and type, for the newest week of the period with enough labels.
with weeks as (

    select
        *,
        max(week_started_on) over (partition by site_id) as newest_week
    from plant.estimated_mixes
    where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date

)

select
    site_id,
    strftime(week_started_on, '%Y-%m-%d') as week,
    event_type,
    labelled_events::double as labelled_events,
    reported_share,
    estimated_share,
    estimated_share_low,
    estimated_share_high
from weeks
where week_started_on = newest_week
order by site_id, event_type
