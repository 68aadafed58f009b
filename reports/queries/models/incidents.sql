-- Open incidents first, then the newest, with the sentence that is their evidence.
select
    site_id,
    replace(metric, '_', ' ') as metric,
    cell,
    severity,
    status,
    epoch_ms(opened_at) as opened_ms,
    epoch_ms(closed_at) as closed_ms,
    concat_ws(' ', sentence, closing_sentence) as sentence
from incidents
order by closed_at is not null, opened_at desc, incident_id
limit 200
