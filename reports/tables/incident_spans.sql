-- One row per incident: the dates of its evidence, which pages use to mark affected figures.
select
    site_id,
    incident_id,
    metric,
    cell,
    severity,
    status,
    case
        when closed_at is null then 'Still open'
        when ending = 'recovered' then 'Recovered'
        when ending = 'accepted' then concat('Accepted as the new normal by ', accepted_by)
        when ending = 'gone' then 'No longer judged'
        when ending = 'withdrawn' then 'Withdrawn'
        else 'Over'
    end as outcome,
    coalesce(first_evidence_date, cast(opened_at as date)) as first_date,
    case when closed_at is not null then coalesce(last_evidence_date, cast(closed_at as date)) end as last_date,
    epoch_ms(opened_at) as opened_ms,
    epoch_ms(closed_at) as closed_ms,
    concat_ws(' ', sentence, closing_sentence) as sentence
from incidents
order by first_date, incident_id
