select
    workstation_name || ' · ' || site_id as workstation,
    working_hours as "Working",
    occupancy_hours - working_hours as "Idle",
    throughput_per_hour as "Units per hour"
from ${workstations} as workstations
order by workstation_name, site_id
