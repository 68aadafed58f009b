-- The incidents of the last 400 days by the dates of their evidence: pages mark affected figures.
select
    site_id,
    strftime(first_date, '%Y-%m-%d') as from_date,
    strftime(last_date, '%Y-%m-%d') as to_date,
    replace(metric, '_', ' ') as metric,
    cell,
    severity,
    sentence
from plant.incident_spans
order by incident_spans.first_date, incident_id
