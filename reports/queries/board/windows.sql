-- One row per site: its newest scheduled window that had started at the newest landing.
select
    site_id,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    started_ms,
    ended_ms,
    is_complete,
    vouched_seconds < 0.9 * claimed_seconds as is_thin,
    vouched_seconds / nullif(claimed_seconds, 0) as evidence,
    units,
    targeted_units,
    target_units,
    target_units_so_far,
    targeted_units - target_units_so_far as gap,
    -- the projection assumes that stations with a target continue at their rate so far
    targeted_units * target_units / nullif(target_units_so_far, 0) as projected_units
from plant.site_windows
where shift_id <> 'unscheduled'
qualify row_number() over (
    partition by site_id order by shift_date desc, started_ms desc nulls last, shift_id
) = 1
order by site_id
