-- One row per station, shift of a site, week and model version of the selection: what can be put side by side. Of shifts
-- and weeks only finished windows count; ratios are ratios of the sums.
with windows as (

    select
        *,
        strftime(cast(date_trunc('week', shift_date) as date), '%Y-%m-%d') as week
    from plant.site_windows
    where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date and is_complete

),

grouped as (

    select
        if(grouping(week) = 0, 'week', 'shift') as kind,
        site_id,
        coalesce(week, shift_id) as id,
        count(*)::double as windows,
        sum(units)::double as units,
        sum(targeted_units)::double / nullif(sum(target_units_so_far), 0) as attainment,
        sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
        3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_hour,
        sum(vouched_seconds) < 0.9 * sum(claimed_seconds) as is_thin,
        sum(vouched_seconds) / nullif(sum(claimed_seconds), 0) as evidence
    from windows
    group by grouping sets ((week), (site_id, shift_id))

),

seen as (

    select
        site_id,
        workstation_id,
        max(workstation_name) as workstation_name,
        count(*)::double as windows,
        sum(units)::double as units,
        sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
        3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as units_per_hour,
        sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin,
        sum(observed_seconds) / nullif(sum(staffed_seconds), 0) as evidence
    from plant.workstation_shifts
    where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date
    group by site_id, workstation_id

),

targeted as (

    select
        site_id,
        workstation_id,
        sum(units)::double / nullif(sum(target_units_so_far), 0) as attainment
    from plant.station_targets
    where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date
    group by site_id, workstation_id

),

versions as (

    select
        site_id,
        model_name,
        model_version,
        sum(event_count)::double as events,
        sum(mean_confidence * event_count) / nullif(sum(event_count), 0) as mean_confidence
    from plant.model_dates
    where ($site is null or site_id = $site) and event_date between $from_date and $to_date
    group by site_id, model_name, model_version

),

checks as (

    select
        site_id,
        model_name,
        model_version,
        sum(correct_events)::double / nullif(sum(labelled_events), 0) as accuracy
    from plant.label_weeks
    where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
    group by site_id, model_name, model_version

)

select
    kind,
    site_id,
    id,
    id as name,
    windows,
    units,
    attainment,
    utilization,
    units_per_hour,
    null::double as events,
    null::double as mean_confidence,
    null::double as accuracy,
    is_thin,
    evidence
from grouped
union all
select
    'station',
    seen.site_id,
    seen.workstation_id,
    seen.workstation_name,
    seen.windows,
    seen.units,
    targeted.attainment,
    seen.utilization,
    seen.units_per_hour,
    null,
    null,
    null,
    seen.is_thin,
    seen.evidence
from seen
left join targeted
    on seen.site_id = targeted.site_id and seen.workstation_id = targeted.workstation_id
union all
select
    'version',
    versions.site_id,
    versions.model_name || ' ' || versions.model_version,
    versions.model_name || ' ' || versions.model_version,
    null,
    null,
    null,
    null,
    null,
    versions.events,
    versions.mean_confidence,
    checks.accuracy,
    false,
    null
from versions
left join checks
    on
        versions.site_id = checks.site_id
        and versions.model_name = checks.model_name
        and versions.model_version = checks.model_version
order by kind, site_id, id
