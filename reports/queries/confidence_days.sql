select
    strftime(event_date, '%Y-%m-%d') as event_date,
    model_name || ' ' || model_version as model,
    sum(mean_confidence * event_count) / nullif(sum(event_count), 0) as mean_confidence
from plant.camera_days
where ${inputs.site.matches} and days_ago < 31
group by 1, 2
order by 1, 2
