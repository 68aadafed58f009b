-- One row per check: the newest day of evidence of each site, how its cells came out, and the sentence of the worst: of
-- those with the worst outcome the one that lies furthest beyond its limit, or nearest to it. A limit below 0 is one that
-- things fall under, as the floor of confidence is.
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
    (count(*) filter (where status = 'fail'))::double as failed,
    (count(*) filter (where status = 'warn'))::double as warned,
    (count(*) filter (where status = 'insufficient_data'))::double as undecided,
    arg_max(
        sentence,
        struct_pack(
            outcome := case status when 'fail' then 3 when 'warn' then 2 when 'insufficient_data' then 1 else 0 end,
            extent := coalesce(
                case when threshold < 0 or metric = 'confidence_floor' then -effect else effect end,
                abs(observed - threshold) / nullif(abs(threshold), 0),
                0
            ),
            cell := coalesce(cell, '')
        )
    ) as sentence
from newest
where evidence_date = newest_date
group by newest.check_name
order by failed desc, warned desc, newest.check_name
