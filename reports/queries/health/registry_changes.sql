-- One row per registry file and version that was in force, the newest first.
select
    file,
    site_id,
    change,
    line_count::double as lines,
    shift_dates_recomputed::double as shift_dates,
    epoch_ms(in_force_since) as in_force_ms
from registry_changes
order by in_force_since desc, file
