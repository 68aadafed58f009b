-- One row per site, pair of versions and metric, of versions that ran in the period; what they are compared by is the
-- weeks around the change. The text names both versions; a difference in confidence is never called better or worse.
select
    site_id,
    model_name,
    earlier_version || ' → ' || later_version as versions,
    metric,
    earlier_value,
    later_value,
    case
        when verdict = 'later_is_higher' then later_version || ' is surer of itself than ' || earlier_version
        when verdict = 'later_is_lower' then later_version || ' is less sure of itself than ' || earlier_version
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
    and exists (
        select 1
        from plant.model_dates
        where
            model_dates.site_id = version_pairs.site_id
            and model_dates.model_name = version_pairs.model_name
            and model_dates.model_version in (version_pairs.earlier_version, version_pairs.later_version)
            and model_dates.event_date between $from_date and $to_date
    )
order by site_id, model_name, versions, metric
