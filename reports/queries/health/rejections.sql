-- One row per reason for rejection, with the newest record as a sample. Superseded records do not count.
select
    reason,
    count(*)::double as records,
    count(distinct object_key)::double as objects,
    epoch_ms(max(rejected_at)) as newest_ms,
    arg_max(detail, struct_pack(rejected_at, object_key, position)) as detail,
    left(arg_max(payload, struct_pack(rejected_at, object_key, position)), 400) as payload,
    arg_max(
        object_key || ' @ ' || position || if(part > 1, '.' || part, ''),
        struct_pack(rejected_at, object_key, position)
    ) as place
from rejected_records
where superseded_at is null
group by reason
order by records desc, reason
