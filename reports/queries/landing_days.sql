select
    strftime(landed_on, '%Y-%m-%d') as landed_on,
    sum(accepted)::double as "Accepted",
    sum(rejected)::double as "Rejected"
from plant.landing_days
where landed_on > (select max(landed_on) from plant.landing_days) - 31
group by 1
order by 1
