-- One row: how much of the time that the shift's stations were staffed somebody vouches for.
select
    sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin,
    sum(observed_seconds) / nullif(sum(staffed_seconds), 0) as evidence
from plant.workstation_shifts
where site_id = $site and shift_date = $shift_date and shift_id = $window_shift and ($station is null or workstation_id = $station)
