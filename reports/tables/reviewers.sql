-- One row per site: the agreement between reviewers.
select
    site_id,
    reviewed_events,
    shared_events,
    disputed_events,
    agreement,
    fleiss_kappa
from reviewer_agreement
order by site_id
