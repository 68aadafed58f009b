select
    site_id,
    model_name,
    earlier_version || ' → ' || later_version as versions,
    metric,
    earlier_value,
    later_value,
    replace(verdict, '_', ' ') as verdict,
    more_needed::double as more_needed,
    sentence
from model_verdicts
order by site_id, model_name, versions, metric
