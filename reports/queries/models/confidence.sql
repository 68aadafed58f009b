-- One row per UTC date and model version of the selection.
select
    strftime(event_date, '%Y-%m-%d') as event_date,
    model_name || ' ' || model_version as model,
    sum(mean_confidence * event_count) / nullif(sum(event_count), 0) as mean_confidence,
    sum(event_count)::double as events
from plant.model_dates
where ($site is null or site_id = $site) and event_date between $from_date and $to_date
group by model_dates.event_date, model
order by model_dates.event_date, model
