select
    arg_max(workstation_name, shift_date) as workstation_name,
    arg_max(station_type, shift_date) as station_type,
    arg_max(line, shift_date) as line,
    bool_and(is_registered) as is_registered,
    strftime(max(shift_date), '%Y-%m-%d') as newest_date,
    count(*)::double as windows
from (
    select workstation_name, station_type, line, is_registered, shift_date
    from plant.workstation_shifts
    where site_id = $site and workstation_id = $station and shift_date between $from_date and $to_date
    union all
    select workstation_name, '' as station_type, line, true as is_registered, shift_date
    from plant.station_targets
    where site_id = $site and workstation_id = $station and shift_date between $from_date and $to_date and staffed_seconds = 0
) as shifts
