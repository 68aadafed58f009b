-- Ids that cameras sent and no registry lists.
select 'worker' as what, site_id, worker_id as id, worker_path as path, strftime(max(shift_date), '%Y-%m-%d') as newest_date
from plant.worker_shifts
where registration = 'not registered' and ${inputs.site.matches}
group by site_id, worker_id, worker_path
union all
select 'workstation', site_id, workstation_id, workstation_path, strftime(max(shift_date), '%Y-%m-%d')
from plant.workstation_shifts
where registration = 'not registered' and ${inputs.site.matches}
group by site_id, workstation_id, workstation_path
order by what, site_id, id
