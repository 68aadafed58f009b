-- One row per site, pair of versions and metric, over all dates. The text names both versions; a difference in
-- confidence is never called better or worse.
select
    site_id,
    model_name,
    earlier_version || ' → ' || later_version as versions,
    metric,
    earlier_value,
    later_value,
    case
        when verdict = 'later_is_better' and metric = 'confidence' then later_version || ' is surer of itself than ' || earlier_version
        when verdict = 'later_is_worse' and metric = 'confidence' then later_version || ' is less sure of itself than ' || earlier_version
        when verdict = 'later_is_better' then later_version || ' is better than ' || earlier_version
        when verdict = 'later_is_worse' then later_version || ' is worse than ' || earlier_version
        else earlier_version || ' and ' || later_version || ': ' || replace(verdict, '_', ' ')
    end as verdict,
    more_needed::double as more_needed,
    if(
        metric = 'confidence',
        'Confidence is the opinion that a model has of itself: it does not tell which version is right more often.',
        sentence
    ) as sentence
from plant.version_pairs
where ($site is null or site_id = $site)
order by site_id, model_name, versions, metric
