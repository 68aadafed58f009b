-- A confidence that fell between two bins would make every comparison of distributions wrong without any notice.
with model_days as (

    select * from {{ ref('model_days') }}

),

histograms as (

    select
        site_id,
        event_date,
        camera_id,
        model_name,
        model_version,
        sum(event_count) as event_count
    from {{ ref('confidence_histograms') }}
    group by site_id, event_date, camera_id, model_name, model_version

)

select
    model_days.site_id,
    model_days.event_date,
    model_days.camera_id
from model_days
left join histograms
    on model_days.site_id = histograms.site_id
    and model_days.event_date = histograms.event_date
    and model_days.camera_id = histograms.camera_id
    and model_days.model_name = histograms.model_name
    and model_days.model_version = histograms.model_version
where model_days.event_count <> coalesce(histograms.event_count, 0)
