-- One row per site, model version, reported type and labelled type of the period's weeks.
select
    site_id,
    model_name || ' ' || model_version as model,
    event_type,
    true_event_type,
    sum(labelled_events)::double as labelled_events,
    sum(labelled_events)::double / sum(sum(labelled_events)) over (
        partition by site_id, model_name || ' ' || model_version, event_type
    ) as share_of_reported
from plant.confusions
where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
group by site_id, model_name, model_version, event_type, true_event_type
order by site_id, model, event_type, true_event_type
