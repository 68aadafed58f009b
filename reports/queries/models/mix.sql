-- One row per UTC date: shares of the four types of event.
select
    strftime(event_date, '%Y-%m-%d') as event_date,
    sum(working_events)::double / nullif(sum(event_count), 0) as working,
    sum(idle_events)::double / nullif(sum(event_count), 0) as idle,
    sum(absent_events)::double / nullif(sum(event_count), 0) as absent,
    sum(product_count_events)::double / nullif(sum(event_count), 0) as product_count
from plant.model_dates
where ($site is null or site_id = $site) and event_date between $from_date and $to_date
group by model_dates.event_date
order by model_dates.event_date
