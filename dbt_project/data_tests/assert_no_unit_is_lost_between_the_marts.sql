-- The marts with windows of persons add up to the same units (station events are in no mart about workers), and so do
-- the marts with windows by the clock.
with totals as (

    select
        (
            select coalesce(sum(units), 0)
            from {{ tested_rows(ref('worker_shifts'), 'window') }}
        ) as worker_units,
        (
            select coalesce(sum(units), 0)
            from {{ tested_rows(ref('worker_station_shifts'), 'window') }}
        ) as worker_station_units,
        (
            select coalesce(sum(units), 0)
            from {{ tested_rows(ref('site_shifts'), 'window') }}
        ) as site_units,
        (
            select coalesce(sum(units), 0)
            from {{ tested_rows(ref('workstation_shifts'), 'shift_date') }}
        ) as workstation_units,
        (
            select coalesce(sum(units), 0)
            from {{ tested_rows(ref('hourly_output'), 'shift_date') }}
        ) as hourly_units

)

select *
from totals
where worker_units <> worker_station_units or worker_units > site_units or workstation_units <> hourly_units
