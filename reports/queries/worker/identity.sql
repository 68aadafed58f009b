select
    arg_max(worker_name, shift_date) as worker_name,
    bool_and(is_registered) as is_registered,
    strftime(max(shift_date), '%Y-%m-%d') as newest_date,
    arg_max(shift_id, shift_date) as newest_shift,
    count(*)::double as windows
from plant.worker_shifts
where site_id = $site and worker_id = $worker and shift_date between $from_date and $to_date
