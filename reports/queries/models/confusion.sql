-- One row per site, model version that ran in the period, reported type and labelled type, over the version's whole life.
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
where ($site is null or site_id = $site)
    and exists (
        select 1
        from plant.model_dates
        where
            model_dates.site_id = confusions.site_id
            and model_dates.model_name = confusions.model_name
            and model_dates.model_version = confusions.model_version
            and model_dates.event_date between $from_date and $to_date
    )
group by site_id, model_name, model_version, event_type, true_event_type
order by site_id, model, event_type, true_event_type
