-- Whom to call about a loss; the page picks the rows that fit best.
select
    site_id,
    line,
    workstation_id,
    cause,
    name,
    phone
from plant.contacts
where $site is null or site_id in ($site, '*')
order by site_id, line, workstation_id, cause, name
