-- The incidents of the last 400 days by the dates of their evidence: pages mark affected figures. What concerns ids and
-- registry files alone makes no figure doubtful; "What needs attention" and Data health name it.
select
    site_id,
    strftime(first_date, '%Y-%m-%d') as from_date,
    strftime(last_date, '%Y-%m-%d') as to_date,
    replace(metric, '_', ' ') as metric,
    cell,
    severity,
    sentence
from plant.incident_spans
where metric not in ('unregistered_ids', 'look_alike_ids') and not starts_with(metric, 'registry_')
order by incident_spans.first_date, incident_id
