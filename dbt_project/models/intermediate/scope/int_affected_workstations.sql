{{ config(materialized="incremental", incremental_strategy="affected") }}

with registered as (

    select
        site_id,
        workstation_id,
        workstation_name,
        station_type,
        line

    from {{ ref('stg_raw__workstations') }}

),

registered_before as (

    select
        site_id,
        workstation_id,
        name as workstation_name,
        station_type,
        line

    from {{ source('build', 'workstations') }}

),

targets as (

    select
        site_id,
        workstation_id,
        shift_id,
        target_units_per_hour,
        valid_from,
        valid_to,
        weekdays

    from {{ ref('stg_raw__targets') }}

),

targets_before as (

    select
        site_id,
        workstation_id,
        shift_id,
        units_per_hour as target_units_per_hour,
        valid_from,
        valid_to,
        weekdays

    from {{ source('build', 'targets') }}

),

closures as (

    select * from {{ ref('stg_raw__closures') }}

),

closures_before as (

    select
        site_id,
        from_date,
        to_date

    from {{ source('build', 'closures') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

registered_anew as (

    {{ changed_rows('registered', 'registered_before') }}

),

targeted_anew as (

    {{ changed_rows('targets', 'targets_before') }}

),

closed_anew as (

    {{ changed_rows('closures', 'closures_before') }}

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

    union

    -- On closed dates nothing has a target.
    select
        targets.site_id,
        targets.workstation_id
    from targets
    inner join closed_anew
        on closed_anew.site_id in (targets.site_id, '*')

)

select distinct
    changed.site_id,
    changed.workstation_id
from changed
inner join batch
    on not batch.is_full
