-- One row per booked shift of the selection, in order; of each station the newest 62 for its chart.
with numbered as (

    select
        *,
        row_number() over (
            partition by site_id, workstation_id
            order by started_ms desc, shift_date desc, shift_id desc
        ) as back
    from plant.count_agreement
    where ($site is null or site_id = $site) and shift_date between $from_date and $to_date

)

select
    site_id || ' ' || workstation_id as place,
    site_id,
    workstation_id,
    workstation_name,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    strftime(shift_date, '%m-%d') || ' ' || shift_id as shift,
    units::double as units,
    booked_units::double as booked_units,
    difference::double as difference,
    counted_share
from numbered
where back <= 62
order by numbered.shift_date, started_ms, shift_id, site_id, workstation_id
