-- One row per site, window and workstation that has a target there, seen or not, a file for each month of shift dates.
with on_trial as (

    select
        site_id,
        workstation_id,
        ' (on trial)' as mark
    from station_releases
    where not is_released

)

select
    strftime(shift_date, '%Y-%m') as part,
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    coalesce(workstation_name, workstation_id) || coalesce(mark, '') as workstation_name,
    coalesce(line, '') as line,
    target_units_per_hour,
    target_units,
    target_units_so_far,
    units,
    staffed_seconds,
    observed_seconds,
    coverage,
    working_seconds,
    idle_seconds,
    unstaffed_seconds,
    not_seen_seconds,
    -- the station's usual loss: the share of its target lost in the previous 31 such shifts
    sum(target_units_so_far - units) over before_it / nullif(sum(target_units_so_far) over before_it, 0) as usual_loss
from station_targets
left join on_trial using (site_id, workstation_id)
window before_it as (
    partition by site_id, workstation_id, shift_id
    order by shift_date
    rows between 31 preceding and 1 preceding
)
order by shift_date, site_id, shift_id, workstation_id
