{{ config(tags=["whole"]) }}

with labels as (

    select * from {{ ref('stg_raw__labels') }}

),

-- The newest review of a person counts. Two of one instant contradict each other, and no order of arrival may decide:
-- then the type that comes first in byte order counts.
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
where newest_rank = 1
