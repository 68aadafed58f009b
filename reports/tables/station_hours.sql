-- One row per site, workstation, window and UTC hour of the last 31 shift dates, a file for each shift date.
with newest as (

    select max(shift_date) as shift_date from site_shifts

),

names as (

    select
        site_id,
        workstation_id,
        arg_max(workstation_name, shift_date) as workstation_name
    from workstation_shifts
    group by all

),

on_trial as (

    select
        site_id,
        workstation_id,
        ' (on trial)' as mark
    from station_releases
    where not is_released

)

select
    strftime(hourly_output.shift_date, '%Y-%m-%d') as part,
    hourly_output.site_id,
    hourly_output.shift_date,
    hourly_output.shift_id,
    hourly_output.workstation_id,
    coalesce(names.workstation_name, hourly_output.workstation_id) || coalesce(on_trial.mark, '') as workstation_name,
    epoch_ms(hourly_output.hour) as hour_ms,
    hourly_output.units,
    hourly_output.working_seconds,
    hourly_output.idle_seconds,
    hourly_output.target_units,
    hourly_output.target_units_so_far,
    hourly_output.observed_seconds,
    hourly_output.coverage,
    hourly_output.staffed_seconds
from hourly_output
cross join newest
left join names
    on hourly_output.site_id = names.site_id and hourly_output.workstation_id = names.workstation_id
left join on_trial
    on hourly_output.site_id = on_trial.site_id and hourly_output.workstation_id = on_trial.workstation_id
where hourly_output.shift_date > newest.shift_date - 31
order by hourly_output.shift_date, hourly_output.site_id, hourly_output.workstation_id, hourly_output.hour
