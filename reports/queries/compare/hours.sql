-- One row per site and hour of the selection's dates, of the last 31 shift dates: all stations' units, and those of stations
-- with a target beside their target so far.
select
    site_id,
    hour_ms::double as hour_ms,
    sum(units)::double as units,
    (sum(units) filter (where target_units_so_far > 0))::double as targeted_units,
    sum(target_units_so_far) as target_units,
    sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin
from plant.station_hours
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
group by site_id, hour_ms
order by site_id, station_hours.hour_ms
