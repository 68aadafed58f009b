-- One row per site, model version and tenth of confidence of the period's weeks: how often people agree where the version
-- was that sure, with Wilson's interval for 95 %.
with tenths as (

    select
        site_id,
        model_name || ' ' || model_version as model,
        bin // 5 as tenth,
        sum(labelled_events)::double as checked,
        coalesce(sum(labelled_events) filter (where event_type = true_event_type), 0)::double as correct,
        sum(labelled_events * (bin + 0.5) / 50) / sum(labelled_events) as confidence
    from plant.confusions
    where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
    group by site_id, model, tenth

)

select
    site_id,
    model,
    tenth::double as tenth,
    confidence,
    checked as labelled_events,
    correct / checked as accuracy,
    (correct / checked + 1.9208 / checked - 1.96 * sqrt(correct / checked * (1 - correct / checked) / checked + 0.9604 / (checked * checked))) / (1 + 3.8416 / checked) as accuracy_low,
    (correct / checked + 1.9208 / checked + 1.96 * sqrt(correct / checked * (1 - correct / checked) / checked + 0.9604 / (checked * checked))) / (1 + 3.8416 / checked) as accuracy_high
from tenths
order by site_id, model, tenth
