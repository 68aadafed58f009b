select
    arg_max(workstation_name, shift_date) as workstation_name,
    arg_max(station_type, shift_date) as station_type,
    bool_and(is_registered) as is_registered,
    strftime(max(shift_date), '%Y-%m-%d') as newest_date,
    count(*)::double as windows
from plant.workstation_shifts
where site_id = $site and workstation_id = $station and shift_date between $from_date and $to_date
