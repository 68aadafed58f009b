-- How many workers lie in each tenth of utilization: the spread, without names.
select
    (band * 10)::varchar || '–' || ((band + 1) * 10)::varchar || ' %' as band,
    count(workers.worker_path)::double as "Workers"
from range(0, 10) as bands(band)
left join ${workers} as workers
    on workers.utilization is not null and least(floor(workers.utilization * 10), 9) = bands.band
group by bands.band
order by bands.band
