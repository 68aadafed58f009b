-- One row per reason for rejection, with the newest record as an example.
select
    reason,
    count(*) as records,
    count(distinct object_key) as objects,
    max(rejected_at at time zone 'UTC') as last_rejected_at,
    arg_max(detail, struct_pack(rejected_at, object_key, position)) as example_detail,
    arg_max(object_key, struct_pack(rejected_at, object_key, position)) as example_object,
    arg_max(position, struct_pack(rejected_at, object_key, position)) as example_position
from rejected_records
group by reason
order by reason
