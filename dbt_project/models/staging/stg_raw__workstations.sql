select
    site_id,
    workstation_id,
    name as workstation_name,
    station_type,
    line
from {{ source('raw', 'workstations') }}
