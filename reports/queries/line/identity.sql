-- The line, and how many windows of its stations lie in the selection.
select
    $line as line_name,
    '' as station_type,
    '' as line,
    true as is_registered,
    count(*)::double as windows
from (
    select shift_date
    from plant.workstation_shifts
    where site_id = $site and line = $line and shift_date between $from_date and $to_date
    union all
    select shift_date
    from plant.station_targets
    where site_id = $site and line = $line and shift_date between $from_date and $to_date and staffed_seconds = 0
) as shifts
