{{ config(materialized="replaced", tags=["whole"]) }}

with audit_queue as (

    select * from {{ ref('audit_queue') }}

),

votes as (

    select * from {{ ref('int_label_votes') }}

)

select
    audit_queue.site_id,
    audit_queue.audit_key,
    votes.true_event_type as true_state,
    votes.is_disputed,
    votes.reviewer_count
from audit_queue
inner join votes
    on audit_queue.audit_key = votes.event_key
