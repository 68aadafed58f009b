select
    site_id,
    line,
    workstation_id,
    cause,
    name as contact_name,
    phone
from {{ source('raw', 'contacts') }}
