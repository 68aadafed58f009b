-- One row per retraining request.
select
    site_id,
    request_id,
    model_name,
    model_version,
    reason,
    status,
    cast(opened_at as date) as opened_on,
    cast(closed_at as date) as closed_on,
    epoch_ms(opened_at) as opened_ms,
    epoch_ms(closed_at) as closed_ms,
    sentence
from retraining_requests
order by opened_at, request_id
