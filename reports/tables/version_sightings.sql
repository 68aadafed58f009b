-- One row per site, model and version: how often cameras that share a scene disagree, over the version's whole life.
select
    site_id,
    model_name,
    model_version,
    disagreement
from model_comparison
order by site_id, model_name, model_version
