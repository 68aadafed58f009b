select
    last_event_microseconds,
    max_state_microseconds
from {{ source('raw', 'settings') }}
