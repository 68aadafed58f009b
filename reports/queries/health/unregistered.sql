-- Ids that cameras sent and no registry lists.
select
    'worker' as what,
    worker_id as id,
    site_id,
    strftime(max(shift_date), '%Y-%m-%d') as newest_date,
    '/workers/' || url_encode(site_id) || '/' || url_encode(worker_id) || '/' as path
from worker_shifts
group by site_id, worker_id
having not bool_and(is_registered)
union all
select
    'workstation',
    workstation_id,
    site_id,
    strftime(max(shift_date), '%Y-%m-%d'),
    '/workstations/' || url_encode(site_id) || '/' || url_encode(workstation_id) || '/'
from workstation_shifts
group by site_id, workstation_id
having not bool_and(is_registered)
order by what, id, site_id
