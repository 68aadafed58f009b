-- One row per site: how far those who label agree.
select
    site_id,
    reviewed_events,
    shared_events,
    disputed_events,
    agreement,
    fleiss_kappa
from reviewer_agreement
order by site_id
