select
    last_event_microseconds,
    max_state_microseconds,
    review_keys_below
from {{ source('raw', 'settings') }}
