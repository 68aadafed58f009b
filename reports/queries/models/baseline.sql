-- One row per UTC date and site: the share of its week's events that are of another type than its baseline expects.
select
    strftime(check_results.evidence_date, '%Y-%m-%d') as evidence_date,
    check_results.site_id,
    coalesce(sites.site_name, check_results.site_id) as site,
    check_results.observed as apart,
    check_results.threshold,
    check_results.status,
    check_results.sentence
from check_results
left join sites
    on check_results.site_id = sites.site_id
where check_results.check_name = 'event_mix_is_near_its_baseline'
    and check_results.observed is not null
    and check_results.evidence_date > (select max(evidence_date) from check_results) - 31
order by check_results.evidence_date, check_results.site_id
