-- One row, also for a plant without any data: when the marts were published, and how much of what landed they hold.
select
    cast(getvariable('published_at') as timestamp) as published_at,
    (select count(*) from landed_objects) as objects,
    (select coalesce(cast(sum(records) as bigint), 0) from landed_objects) as records,
    (select coalesce(cast(sum(accepted) as bigint), 0) from landed_objects) as accepted,
    (select coalesce(cast(sum(rejected) as bigint), 0) from landed_objects) as rejected,
    (select max(landed_at at time zone 'UTC') from landed_objects) as last_landed_at
