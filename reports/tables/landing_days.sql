-- One row per UTC date of landing and prefix of the bucket.
select
    cast(landed_at at time zone 'UTC' as date) as landed_on,
    split_part(object_key, '/', 1) as prefix,
    count(*) as objects,
    cast(sum(bytes) as bigint) as bytes,
    cast(sum(records) as bigint) as records,
    cast(sum(accepted) as bigint) as accepted,
    cast(sum(rejected) as bigint) as rejected
from landed_objects
group by landed_on, prefix
order by landed_on, prefix
