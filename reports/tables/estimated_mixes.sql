-- One row per site, week and type: the share as reported, and as people's labels tell.
select
    site_id,
    week_started_on,
    event_type,
    labelled_events,
    reported_share,
    estimated_share,
    estimated_share_low,
    estimated_share_high
from label_estimates
where estimated_share is not null
order by site_id, week_started_on, event_type
