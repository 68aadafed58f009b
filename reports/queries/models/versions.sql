-- One row per site, model and version: versions side by side.
select
    site_id,
    model_name || ' ' || model_version as model,
    strftime(first_event_at, '%Y-%m-%d') as first_date,
    strftime(last_event_at, '%Y-%m-%d') as last_date,
    camera_count::double as cameras,
    event_count::double as events,
    mean_confidence,
    working_share,
    idle_share,
    absent_share,
    product_count_share,
    disagreement,
    labelled_events::double as labelled_events,
    accuracy,
    accuracy_low,
    accuracy_high
from model_comparison
order by site_id, model_name, first_event_at, model_version
