-- One row, or none without targets: how the targets so far of the line's stations were met or lost, in units and in seconds. Made,
-- slow, idle, unstaffed, not seen and the stations that no camera watches add up to the target.
select
    count(*)::double as stations,
    sum(target_units_so_far) as target_units,
    sum(units)::double as made_units,
    sum(target_units_per_hour * working_seconds / 3600 - units) as slow_units,
    sum(target_units_per_hour * idle_seconds / 3600) as idle_units,
    sum(target_units_per_hour * unstaffed_seconds / 3600) as unstaffed_units,
    sum(target_units_per_hour * not_seen_seconds / 3600) as not_seen_units,
    coalesce(sum(target_units_so_far - units) filter (where not_seen_seconds is null), 0) as unwatched_units,
    sum(3600 * target_units_so_far / nullif(target_units_per_hour, 0)) as target_seconds,
    sum(working_seconds) as working_seconds,
    sum(idle_seconds) as idle_seconds,
    sum(unstaffed_seconds) as unstaffed_seconds,
    sum(not_seen_seconds) as not_seen_seconds
from plant.station_targets
where site_id = $site and line = $line and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
having sum(target_units_so_far) > 0
