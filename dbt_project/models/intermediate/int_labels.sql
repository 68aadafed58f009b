{{ config(tags=["whole"]) }}

with labels as (

    select * from {{ ref('stg_raw__labels') }}

),

-- The newest review of a person counts. Of two reviews at one instant the type that comes first in byte order counts,
-- because the order of arrival must not decide.
ranked as (

    select
        event_key,
        reviewer,
        true_event_type,
        reviewed_at,
        row_number() over (
            partition by event_key, reviewer
            order by reviewed_at desc, true_event_type asc
        ) as newest_rank

    from labels

)

select
    event_key,
    reviewer,
    true_event_type,
    reviewed_at
from ranked
-- Who cannot tell has no vote, and takes back an earlier one.
where newest_rank = 1 and true_event_type <> '{{ var('cannot_tell') }}'
