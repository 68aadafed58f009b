select
    site_id,
    workstation_id,
    name as workstation_name,
    station_type
from {{ source('raw', 'workstations') }}
