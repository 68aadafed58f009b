-- Workers, workstations, sites and hours add up the same units.
with totals as (

    select
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('worker_shifts')) }}) as worker_units,
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('workstation_shifts')) }}) as workstation_units,
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('site_shifts')) }}) as site_units,
        (select coalesce(sum(units), 0) from {{ get_where_subquery(ref('hourly_output')) }}) as hourly_units

)

select *
from totals
where worker_units <> workstation_units or worker_units <> site_units or worker_units <> hourly_units
