-- One row per site and reported type with enough labels, over all weeks: its accuracy with Wilson's 95 % interval, and
-- the version that is significantly worse than all together, if there is one, with the UTC dates between which it ran
-- (`worse_to` NULL: it was the site's newest).
with versions as (

    select
        site_id,
        event_type,
        model_version,
        sum(labelled_events)::double as checked,
        sum(correct_events)::double as correct
    from plant.label_weeks
    group by site_id, event_type, model_version
    having sum(labelled_events) > 0

),

rated as (

    select
        *,
        (correct / checked + 1.9208 / checked + 1.96 * sqrt(correct / checked * (1 - correct / checked) / checked + 0.9604 / (checked * checked))) / (1 + 3.8416 / checked) as high
    from versions

),

types as (

    select
        site_id,
        event_type,
        sum(checked) as checked,
        sum(correct) as correct
    from versions
    group by site_id, event_type
    having sum(checked) >= 30

),

told as (

    select
        site_id,
        event_type,
        checked,
        (correct / checked + 1.9208 / checked - 1.96 * sqrt(correct / checked * (1 - correct / checked) / checked + 0.9604 / (checked * checked))) / (1 + 3.8416 / checked) as low,
        (correct / checked + 1.9208 / checked + 1.96 * sqrt(correct / checked * (1 - correct / checked) / checked + 0.9604 / (checked * checked))) / (1 + 3.8416 / checked) as high
    from types

),

ran as (

    select
        site_id,
        model_version,
        min(event_date) as first_date,
        max(event_date) as last_date,
        max(max(event_date)) over (partition by site_id) as newest_date
    from plant.model_dates
    group by site_id, model_version

),

worst as (

    select
        told.site_id,
        told.event_type,
        arg_min(rated.model_version, rated.correct / rated.checked) as worse_version,
        min(rated.correct / rated.checked) as worse_accuracy
    from told
    inner join rated
        on told.site_id = rated.site_id and told.event_type = rated.event_type and rated.checked >= 20 and rated.high < told.low
    group by told.site_id, told.event_type

)

select
    told.site_id,
    told.event_type,
    told.checked,
    told.low,
    told.high,
    worst.worse_version,
    worst.worse_accuracy,
    strftime(ran.first_date, '%Y-%m-%d') as worse_from,
    case when ran.last_date < ran.newest_date then strftime(ran.last_date, '%Y-%m-%d') end as worse_to
from told
left join worst
    on told.site_id = worst.site_id and told.event_type = worst.event_type
left join ran
    on told.site_id = ran.site_id and worst.worse_version = ran.model_version
order by told.site_id, told.event_type
