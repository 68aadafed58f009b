-- One row per contact: whom to call about a loss.
select
    site_id,
    line,
    workstation_id,
    cause,
    name,
    phone
from contacts
order by site_id, line, workstation_id, cause, name
