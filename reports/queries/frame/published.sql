-- One row, even for a plant without data: the freshness and completeness of everything.
select
    epoch_ms(cast(getvariable('published_at') as timestamp)) as published_ms,
    (select strftime(min(shift_date), '%Y-%m-%d') from site_shifts) as first_date,
    (select strftime(max(shift_date), '%Y-%m-%d') from site_shifts) as newest_date,
    (select count(*) from landed_objects) as objects,
    (select coalesce(cast(sum(records) as bigint), 0) from landed_objects) as records,
    (select coalesce(cast(sum(accepted) as bigint), 0) from landed_objects) as accepted,
    (select epoch_ms(max(landed_at)) from landed_objects) as last_landed_ms,
    (select count(*) from worker_shifts) > 0 or (select count(*) from site_shifts) = 0 as has_people
