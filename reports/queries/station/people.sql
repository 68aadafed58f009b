-- The people at the station in the shift, sorted by name: not a ranking.
select
    worker_id,
    max(worker_name) as worker_name,
    sum(lasted_ms) filter (where state = 'working') / 1000 as working_seconds,
    sum(lasted_ms) filter (where state = 'idle') / 1000 as idle_seconds,
    sum(lasted_ms) filter (where state <> 'absent' and not is_seen) / 1000 as unseen_seconds,
    coalesce(sum(lasted_ms) filter (where is_seen) < 0.9 * sum(lasted_ms), true) as is_thin
from plant.intervals
where site_id = $site and workstation_id = $station and shift_date = $shift_date and shift_id = $window_shift
group by worker_id
order by worker_name, worker_id
