select distinct shift_id
from site_shifts
order by shift_id = 'unscheduled', shift_id
