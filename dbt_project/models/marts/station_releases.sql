{{ config(materialized="replaced", tags=["whole"]) }}

with releases as (

    select * from {{ ref('stg_raw__released') }}

),

-- Without the file nothing is on trial.
in_force as (

    select file
    from {{ ref('stg_raw__registry_files') }}
    where file = 'released.csv'

),

stations as (

    select
        site_id,
        workstation_id
    from {{ ref('int_workstation_shift_history') }}

    union

    select
        site_id,
        workstation_id
    from {{ ref('stg_raw__workstations') }}

    union

    select
        site_id,
        workstation_id
    from releases
    where workstation_id is not null

)

select
    stations.site_id,
    stations.workstation_id,
    coalesce(own.released_by, of_site.released_by) is not null as is_released,
    coalesce(own.released_by, of_site.released_by) as released_by
from stations
cross join in_force
left join releases as own
    on stations.site_id = own.site_id
    and stations.workstation_id = own.workstation_id
left join releases as of_site
    on stations.site_id = of_site.site_id
    and of_site.workstation_id is null
