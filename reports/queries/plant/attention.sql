-- One row per open item, the most severe kind first: incidents, then checks that failed on their newest day of evidence
-- and have no open incident. Every item comes from a check.
with newest as (

    select
        *,
        max(evidence_date) over (partition by check_name, site_id) as newest_date
    from check_results

),

listed as (

    select
        if(severity = 'critical', 0, 1) as severity,
        'Open incident' as kind,
        site_id,
        coalesce(nullif(cell, ''), metric) as subject,
        sentence as what,
        '/models/' as path,  -- the one page that lists incidents
        0 as extent
    from incidents
    where closed_at is null
    union all
    select
        if(newest.status = 'fail', 2, 3),
        if(newest.status = 'fail', 'Failed check', 'Check with a warning'),
        if(newest.site_id = '*', '', newest.site_id),
        replace(newest.check_name, '_', ' '),
        newest.sentence,
        '/data-health/',
        coalesce(abs(newest.effect), abs(newest.observed - newest.threshold) / nullif(abs(newest.threshold), 0), 0)
    from newest
    left join incidents
        on
            newest.site_id = incidents.site_id
            and newest.metric = incidents.metric
            and newest.cell = incidents.cell
            and incidents.closed_at is null
    where
        newest.evidence_date = newest.newest_date
        and newest.status in ('fail', 'warn')
        and incidents.incident_id is null
)

select
    severity,
    extent,
    kind,
    site_id,
    subject,
    what,
    path
from listed
order by severity, extent desc, site_id, subject, what
limit 30
