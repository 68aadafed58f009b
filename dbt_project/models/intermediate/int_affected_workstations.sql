{{ config(materialized="affected") }}

with registered as (

    select
        site_id,
        workstation_id,
        workstation_name,
        station_type

    from {{ ref('stg_raw__workstations') }}

),

registered_before as (

    select
        site_id,
        workstation_id,
        name as workstation_name,
        station_type

    from {{ source('build', 'workstations') }}

),

targets as (

    select
        site_id,
        workstation_id,
        shift_id,
        target_units_per_hour,
        valid_from,
        valid_to

    from {{ ref('stg_raw__targets') }}

),

targets_before as (

    select
        site_id,
        workstation_id,
        shift_id,
        units_per_hour as target_units_per_hour,
        valid_from,
        valid_to

    from {{ source('build', 'targets') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

registered_anew as (

    (
        select * from registered
        except
        select * from registered_before
    )
    union all
    (
        select * from registered_before
        except
        select * from registered
    )

),

targeted_anew as (

    (
        select * from targets
        except
        select * from targets_before
    )
    union all
    (
        select * from targets_before
        except
        select * from targets
    )

),

changed as (

    select
        site_id,
        workstation_id
    from registered_anew

    union

    select
        site_id,
        workstation_id
    from targeted_anew

)

select distinct
    changed.site_id,
    changed.workstation_id
from changed
inner join batch
    on not batch.is_full
