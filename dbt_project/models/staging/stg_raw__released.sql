select
    site_id,
    case when workstation_id <> '*' then workstation_id end as workstation_id,
    who as released_by
from {{ source('raw', 'released') }}
