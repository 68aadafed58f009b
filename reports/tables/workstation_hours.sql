-- One row per site, workstation, window and UTC hour of the last 31 shift dates.
select
    site_id,
    workstation_id,
    shift_date,
    shift_id,
    hour at time zone 'UTC' as hour,
    units,
    working_seconds,
    idle_seconds
from hourly_output
qualify max(shift_date) over (partition by site_id) - shift_date < 31
order by site_id, workstation_id, hour, shift_date, shift_id
