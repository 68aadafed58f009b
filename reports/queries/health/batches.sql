-- One row per batch that landed something, the newest 20: all objects of a batch carry its instant.
select
    epoch_ms(landed_at) as landed_ms,
    count(*)::double as objects,
    sum(bytes)::double as bytes,
    sum(records)::double as records,
    sum(rejected)::double as rejected
from landed_objects
group by landed_at
order by landed_at desc
limit 20
