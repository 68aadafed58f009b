-- One row per UTC date and site: the share of its week's events that are of another type than its baseline expects.
select
    strftime(evidence_date, '%Y-%m-%d') as evidence_date,
    site_id,
    site,
    apart,
    threshold
from plant.mix_checks
where ($site is null or site_id = $site) and mix_checks.evidence_date between $from_date and $to_date
order by mix_checks.evidence_date, site_id
