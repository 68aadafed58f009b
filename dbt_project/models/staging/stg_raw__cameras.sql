select
    site_id,
    camera_id,
    workstation_id,
    counts as is_counting_units,
    states as is_counting_states,
    valid_from,
    valid_to
from {{ source('raw', 'cameras') }}
