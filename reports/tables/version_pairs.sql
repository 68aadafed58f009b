-- One row per site, model, pair of versions and metric.
select
    site_id,
    model_name,
    earlier_version,
    later_version,
    metric,
    earlier_value,
    later_value,
    verdict,
    more_needed,
    sentence
from model_verdicts
order by site_id, model_name, earlier_version, later_version, metric
