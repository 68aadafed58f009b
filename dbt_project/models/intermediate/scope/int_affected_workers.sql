{{ config(materialized="incremental", incremental_strategy="affected") }}

with registered as (

    select
        site_id,
        worker_id,
        worker_name

    from {{ ref('stg_raw__workers') }}

),

registered_before as (

    select
        site_id,
        worker_id,
        name as worker_name

    from {{ source('build', 'workers') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

changed as (

    {{ changed_rows('registered', 'registered_before') }}

)

select distinct
    changed.site_id,
    changed.worker_id
from changed
inner join batch
    on not batch.is_full
