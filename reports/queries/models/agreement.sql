-- One row per site with labels of the period's weeks: the agreement of its reviewers, over all their reviews.
select
    site_id,
    reviewed_events::double as reviewed_events,
    shared_events::double as shared_events,
    disputed_events::double as disputed_events,
    agreement,
    fleiss_kappa
from plant.reviewers
where ($site is null or site_id = $site)
    and exists (
        select 1
        from plant.label_weeks
        where
            label_weeks.site_id = reviewers.site_id
            and label_weeks.labelled_events > 0
            and label_weeks.week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
    )
order by site_id
