select workstation_name, workstation_id, site_id, station_type, registration
from plant.workstation_shifts
where site_id = '${params.site.replaceAll("'", "''")}'
    and workstation_id = '${params.workstation.replaceAll("'", "''")}'
order by shift_date desc
limit 1
