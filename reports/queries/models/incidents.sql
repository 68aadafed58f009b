-- Incidents whose evidence lies in the period: open ones first, then the newest.
select
    site_id,
    replace(metric, '_', ' ') as metric,
    cell,
    severity,
    outcome,
    strftime(first_date, '%Y-%m-%d') as first_date,
    opened_ms,
    closed_ms,
    sentence
from plant.incident_spans
where ($site is null or site_id in ($site, '*')) and incident_spans.first_date <= $to_date and (last_date is null or last_date >= $from_date)
order by closed_ms is not null, opened_ms desc, incident_id
limit 200
