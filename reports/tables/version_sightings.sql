-- One row per site, model and version: over its whole life, as cameras that share a scene disagree.
select
    site_id,
    model_name,
    model_version,
    disagreement
from model_comparison
order by site_id, model_name, model_version
