-- One row per site, week and type: the reported share, and the share estimated from labels.
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
