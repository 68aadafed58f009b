-- One row per site, camera, model version, ISO week of the UTC date and bin of confidence (fiftieths), a file for each
-- month of weeks.
select
    strftime(date_trunc('week', event_date), '%Y-%m') as part,
    site_id,
    camera_id,
    model_name,
    model_version,
    cast(date_trunc('week', event_date) as date) as week_started_on,
    bin,
    cast(sum(event_count) as bigint) as event_count
from confidence_histograms
group by all
order by week_started_on, site_id, camera_id, model_name, model_version, bin
