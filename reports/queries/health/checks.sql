-- One row per check: the newest day of evidence of each site, how its cells came out, and the sentence of the worst.
with newest as (

    select
        *,
        max(evidence_date) over (partition by check_name, site_id) as newest_date
    from check_results

)

select
    replace(check_name, '_', ' ') as check_name,
    strftime(max(evidence_date), '%Y-%m-%d') as evidence_date,
    count(*)::double as cells,
    (count(*) filter (where status = 'pass'))::double as passed,
    (count(*) filter (where status in ('warn', 'fail')))::double as failed,
    (count(*) filter (where status = 'insufficient_data'))::double as undecided,
    arg_max(
        sentence,
        case status when 'fail' then 3 when 'warn' then 2 when 'insufficient_data' then 1 else 0 end
    ) as sentence
from newest
where evidence_date = newest_date
group by newest.check_name
order by failed desc, newest.check_name
