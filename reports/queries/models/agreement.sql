select
    site_id,
    reviewed_events::double as reviewed_events,
    shared_events::double as shared_events,
    disputed_events::double as disputed_events,
    agreement,
    fleiss_kappa
from plant.reviewers
where ($site is null or site_id = $site)
order by site_id
