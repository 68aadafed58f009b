-- One row per site and type, of the newest week whose labels suffice: the share as reported, and as people's labels tell.
select
    site_id,
    strftime(week_started_on, '%Y-%m-%d') as week,
    event_type,
    labelled_events::double as labelled_events,
    reported_share,
    estimated_share,
    estimated_share_low,
    estimated_share_high
from label_estimates
where estimated_share is not null
qualify week_started_on = max(week_started_on) over (partition by site_id)
order by site_id, event_type
