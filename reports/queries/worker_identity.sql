-- The worker whatever the period, so that the page knows a name even where the selection is empty.
select worker_name, worker_id, site_id, registration
from plant.worker_shifts
where site_id = '${params.site.replaceAll("'", "''")}' and worker_id = '${params.worker.replaceAll("'", "''")}'
order by shift_date desc
limit 1
