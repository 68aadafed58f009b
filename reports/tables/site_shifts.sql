-- One row per site and window.
select
    site_id,
    shift_date,
    cast(max(shift_date) over (partition by site_id) - shift_date as integer) as days_ago,
    shift_id,
    productive_seconds,
    units,
    average_utilization,
    worker_count,
    workstation_count
from site_shifts
order by site_id, shift_date, shift_id
