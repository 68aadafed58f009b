-- The marts whose windows are those of persons add up the same units (a station's own are in none about workers), and
-- so do those whose windows are those of the clock.
with totals as (

    select
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('worker_shifts')) }}) as worker_units,
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('worker_station_shifts')) }}) as worker_station_units,
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('site_shifts')) }}) as site_units,
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('workstation_shifts')) }}) as workstation_units,
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('hourly_output')) }}) as hourly_units

)

select *
from totals
where worker_units <> worker_station_units or worker_units > site_units or workstation_units <> hourly_units
