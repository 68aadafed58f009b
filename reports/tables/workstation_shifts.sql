-- One row per site, window and workstation, a file for each month of shift dates. The name says whether the station is on
-- trial, so that every figure beside it does.
select
    strftime(workstation_shifts.shift_date, '%Y-%m') as part,
    workstation_shifts.site_id,
    workstation_shifts.shift_date,
    workstation_shifts.shift_id,
    workstation_shifts.workstation_id,
    workstation_shifts.workstation_name || if(on_trial.site_id is null, '', ' (on trial)') as workstation_name,
    coalesce(workstation_shifts.station_type, '') as station_type,
    coalesce(workstation_shifts.line, '') as line,
    workstation_shifts.is_registered,
    workstation_shifts.working_seconds,
    workstation_shifts.idle_seconds,
    workstation_shifts.occupancy_seconds,
    workstation_shifts.staffed_seconds,
    workstation_shifts.observed_seconds,
    workstation_shifts.coverage,
    workstation_shifts.units,
    workstation_shifts.worker_count,
    workstation_shifts.target_units,
    workstation_shifts.target_units_so_far
from workstation_shifts
left join station_releases as on_trial
    on
        workstation_shifts.site_id = on_trial.site_id
        and workstation_shifts.workstation_id = on_trial.workstation_id
        and not on_trial.is_released
order by
    workstation_shifts.shift_date, workstation_shifts.site_id, workstation_shifts.shift_id,
    workstation_shifts.workstation_id
