-- The newest shift date of the workstation, hour by hour.
select
    strftime(hour, '%Y-%m-%d %H:00') as hour_utc,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(units)::double as "Units"
from plant.workstation_hours
where site_id = '${params.site.replaceAll("'", "''")}'
    and workstation_id = '${params.workstation.replaceAll("'", "''")}'
    and shift_date = (
        select max(shift_date) from plant.workstation_hours
        where site_id = '${params.site.replaceAll("'", "''")}'
            and workstation_id = '${params.workstation.replaceAll("'", "''")}'
    )
group by hour, shift_date
order by hour
