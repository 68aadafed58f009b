-- One row per UTC date and site: the share of its week's events that are of another type than its baseline expects.
select
    check_results.evidence_date,
    check_results.site_id,
    coalesce(sites.site_name, check_results.site_id) as site,
    check_results.observed as apart,
    check_results.threshold
from check_results
left join sites
    on check_results.site_id = sites.site_id
where check_results.check_name = 'event_mix_is_near_its_baseline' and check_results.observed is not null
order by check_results.evidence_date, check_results.site_id
