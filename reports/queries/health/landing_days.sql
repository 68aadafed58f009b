-- One row per UTC date of landing, the last 31 of them.
select
    strftime(landed_at, '%Y-%m-%d') as landed_on,
    count(*)::double as objects,
    sum(accepted)::double as accepted,
    sum(rejected)::double as rejected
from landed_objects
where landed_at > (select max(landed_at) from landed_objects) - interval 31 day
group by landed_on
order by landed_on
