-- One row per site, window and workstation.
select
    site_id,
    shift_date,
    cast(max(shift_date) over (partition by site_id) - shift_date as integer) as days_ago,
    shift_id,
    workstation_id,
    workstation_name,
    coalesce(station_type, '') as station_type,
    if(is_registered, '', 'not registered') as registration,
    '/workstations/' || url_encode(site_id) || '/' || url_encode(workstation_id) as workstation_path,
    working_seconds,
    idle_seconds,
    occupancy_seconds,
    staffed_seconds,
    units,
    worker_count
from workstation_shifts
order by site_id, shift_date, shift_id, workstation_id
