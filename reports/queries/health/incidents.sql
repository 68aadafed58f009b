-- The open incidents, the oldest first, and behind them the newest that ended.
select
    site_id,
    replace(metric, '_', ' ') as metric,
    cell,
    outcome,
    strftime(first_date, '%Y-%m-%d') as first_date,
    closed_ms,
    sentence
from plant.incident_spans
where $site is null or site_id in ($site, '*')
order by closed_ms is not null, closed_ms desc, opened_ms, incident_id
limit 50
