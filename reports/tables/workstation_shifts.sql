-- One row per site, window and workstation, a file for each month of shift dates.
select
    strftime(shift_date, '%Y-%m') as part,
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    workstation_name,
    coalesce(station_type, '') as station_type,
    coalesce(line, '') as line,
    is_registered,
    working_seconds,
    idle_seconds,
    occupancy_seconds,
    staffed_seconds,
    observed_seconds,
    coverage,
    units,
    worker_count,
    target_units,
    target_units_so_far
from workstation_shifts
order by shift_date, site_id, shift_id, workstation_id
