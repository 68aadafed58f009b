-- Retraining requests of the period: open ones first, then the newest.
select
    site_id,
    model_name || ' ' || model_version as model,
    reason,
    status,
    opened_ms,
    closed_ms,
    sentence
from plant.training_requests
where ($site is null or site_id = $site) and (closed_on is null or closed_on >= $from_date)
order by closed_ms is not null, opened_ms desc, request_id
