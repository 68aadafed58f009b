-- One row per window in which the station was seen or had a target.
with seen as (

    select *
    from plant.workstation_shifts
    where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date

),

targeted as (

    select *
    from plant.station_targets
    where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date and target_units_so_far > 0

)

select
    strftime(coalesce(seen.shift_date, targeted.shift_date), '%Y-%m-%d') as shift_date,
    coalesce(seen.shift_id, targeted.shift_id) as shift_id,
    coalesce(seen.worker_count, 0)::double as workers,
    seen.working_seconds / nullif(seen.occupancy_seconds, 0) as utilization,
    seen.occupancy_seconds,
    seen.staffed_seconds,
    coalesce(seen.coverage, targeted.coverage) as coverage,
    seen.observed_seconds < 0.9 * seen.staffed_seconds as is_thin,
    seen.observed_seconds / nullif(seen.staffed_seconds, 0) as evidence,
    coalesce(seen.units, 0)::double as units,
    targeted.target_units_so_far as target_units,
    targeted.units::double / targeted.target_units_so_far as attainment,
    3600 * seen.units::double / nullif(seen.occupancy_seconds, 0) as throughput_per_hour,
    targeted.unstaffed_seconds,
    targeted.not_seen_seconds
from seen
full outer join targeted on seen.shift_date = targeted.shift_date and seen.shift_id = targeted.shift_id
order by coalesce(seen.shift_date, targeted.shift_date) desc, coalesce(seen.shift_id, targeted.shift_id)
