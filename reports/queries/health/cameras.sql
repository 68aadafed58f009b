-- One row per site and camera over the site's last 31 dates with events, the longest silent first. A camera's share of
-- scheduled time covered, its lateness and its clock come from camera_days, its confidence from model_days. Future
-- dates from a camera whose clock is ahead do not make other cameras silent.
with newest as (

    select
        site_id,
        max(event_date) as site_date
    from model_days
    where event_date <= coalesce((select max(landed_at)::date from landed_objects), event_date)
    group by site_id

),

spoken as (

    select
        model_days.site_id,
        model_days.camera_id,
        greatest(max(newest.site_date) - max(model_days.event_date), 0) as days_silent,
        max(model_days.event_date) as newest_date,
        count(distinct model_days.event_date) as dates_seen,
        sum(model_days.event_count) as events,
        sum(model_days.mean_confidence * model_days.event_count) / nullif(sum(model_days.event_count), 0)
            as mean_confidence
    from model_days
    inner join newest
        on model_days.site_id = newest.site_id
    where model_days.event_date > newest.site_date - 31
    group by model_days.site_id, model_days.camera_id

),

watched as (

    select
        camera_days.site_id,
        camera_days.camera_id,
        max(camera_days.last_event_at) as last_heard_at,
        sum(camera_days.covered_seconds) / nullif(sum(camera_days.scheduled_seconds), 0) as coverage,
        max(camera_days.longest_silence_seconds) as longest_silence_seconds,
        -- a date most of whose events came more than a day late was loaded afterwards, and says nothing about lateness
        nullif(count(*) filter (where camera_days.p50_lateness_seconds > 86400), 0)::double as loaded_dates,
        (sum(camera_days.late_events) filter (where not coalesce(camera_days.p50_lateness_seconds > 86400, false)))::double
        / nullif(sum(camera_days.event_count) filter (where not coalesce(camera_days.p50_lateness_seconds > 86400, false)), 0)
            as late_share,
        max(camera_days.p95_lateness_seconds) filter (where not coalesce(camera_days.p50_lateness_seconds > 86400, false)) as p95_lateness_seconds,
        arg_max(camera_days.clock_offset_seconds, camera_days.event_date) as clock_offset_seconds,
        -- dates whose station events were not counted yet are in neither sum
        (sum(camera_days.station_events))::double
        / nullif(sum(camera_days.event_count) filter (where camera_days.station_events is not null), 0) as station_share
    from camera_days
    inner join newest
        on camera_days.site_id = newest.site_id
    where camera_days.event_date > newest.site_date - 31
    group by camera_days.site_id, camera_days.camera_id

)

select
    spoken.site_id,
    spoken.camera_id,
    epoch_ms(watched.last_heard_at) as last_heard_ms,
    spoken.days_silent::double as days_silent,
    strftime(spoken.newest_date, '%Y-%m-%d') as newest_date,
    spoken.dates_seen::double as dates_seen,
    spoken.events::double as events,
    spoken.mean_confidence,
    watched.coverage,
    watched.longest_silence_seconds,
    watched.loaded_dates,
    watched.late_share,
    watched.p95_lateness_seconds,
    watched.clock_offset_seconds,
    watched.station_share
from spoken
left join watched
    on spoken.site_id = watched.site_id and spoken.camera_id = watched.camera_id
order by days_silent desc, spoken.site_id, spoken.camera_id
