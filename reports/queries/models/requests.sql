-- Open requests first, then the newest.
select
    site_id,
    model_name || ' ' || model_version as model,
    reason,
    status,
    epoch_ms(opened_at) as opened_ms,
    epoch_ms(closed_at) as closed_ms,
    sentence
from retraining_requests
order by closed_at is not null, opened_at desc, request_id
