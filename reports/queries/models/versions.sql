-- One row per site, model and version with events in the period: versions side by side.
with spoken as (

    select
        site_id,
        model_name,
        model_version,
        min(event_date) as first_date,
        max(event_date) as last_date,
        count(distinct camera_id)::double as cameras,
        sum(event_count)::double as events,
        sum(mean_confidence * event_count) / nullif(sum(event_count), 0) as mean_confidence,
        sum(working_events)::double / nullif(sum(event_count), 0) as working_share,
        sum(idle_events)::double / nullif(sum(event_count), 0) as idle_share,
        sum(absent_events)::double / nullif(sum(event_count), 0) as absent_share,
        sum(product_count_events)::double / nullif(sum(event_count), 0) as product_count_share
    from plant.model_dates
    where ($site is null or site_id = $site) and event_date between $from_date and $to_date
    group by site_id, model_name, model_version

),

checks as (

    select
        site_id,
        model_name,
        model_version,
        sum(labelled_events)::double as checked,
        sum(correct_events)::double as correct
    from plant.label_weeks
    where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
    group by site_id, model_name, model_version
    having sum(labelled_events) > 0

)

select
    spoken.site_id,
    spoken.model_name || ' ' || spoken.model_version as model,
    strftime(spoken.first_date, '%Y-%m-%d') as first_date,
    strftime(spoken.last_date, '%Y-%m-%d') as last_date,
    spoken.cameras,
    spoken.events,
    spoken.mean_confidence,
    spoken.working_share,
    spoken.idle_share,
    spoken.absent_share,
    spoken.product_count_share,
    version_sightings.disagreement,
    coalesce(checks.checked, 0) as labelled_events,
    checks.correct / checks.checked as accuracy,
    (checks.correct / checks.checked + 1.9208 / checks.checked - 1.96 * sqrt(checks.correct / checks.checked * (1 - checks.correct / checks.checked) / checks.checked + 0.9604 / (checks.checked * checks.checked))) / (1 + 3.8416 / checks.checked) as accuracy_low,
    (checks.correct / checks.checked + 1.9208 / checks.checked + 1.96 * sqrt(checks.correct / checks.checked * (1 - checks.correct / checks.checked) / checks.checked + 0.9604 / (checks.checked * checks.checked))) / (1 + 3.8416 / checks.checked) as accuracy_high
from spoken
left join checks
    on
        spoken.site_id = checks.site_id
        and spoken.model_name = checks.model_name
        and spoken.model_version = checks.model_version
left join plant.version_sightings
    on
        spoken.site_id = version_sightings.site_id
        and spoken.model_name = version_sightings.model_name
        and spoken.model_version = version_sightings.model_version
order by spoken.site_id, spoken.model_name, spoken.first_date, spoken.model_version
