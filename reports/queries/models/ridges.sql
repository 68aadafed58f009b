-- One row per site, camera, week that the period touches and bin of confidence (its middle): the share of the week's
-- events, and the version that reported most of them.
with bins as (

    select
        site_id,
        camera_id,
        week_started_on,
        bin,
        sum(event_count)::double as events
    from plant.confidence_weeks
    where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
    group by site_id, camera_id, week_started_on, bin

),

versions as (

    select
        site_id,
        camera_id,
        week_started_on,
        model_version,
        row_number() over (
            partition by site_id, camera_id, week_started_on order by sum(event_count) desc, model_version
        ) as place
    from plant.confidence_weeks
    where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
    group by site_id, camera_id, week_started_on, model_version

)

select
    bins.site_id,
    bins.camera_id,
    strftime(bins.week_started_on, '%Y-%m-%d') as week,
    versions.model_version,
    (bins.bin + 0.5) / 50 as confidence,
    bins.events / sum(bins.events) over (partition by bins.site_id, bins.camera_id, bins.week_started_on) as share
from bins
inner join versions
    on
        bins.site_id = versions.site_id
        and bins.camera_id = versions.camera_id
        and bins.week_started_on = versions.week_started_on
        and versions.place = 1
order by bins.site_id, bins.camera_id, bins.week_started_on, bins.bin
