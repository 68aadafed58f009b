{{ config(materialized="replaced", tags=["whole"]) }}

with versions as (

    select * from {{ ref('stg_raw__registry_versions') }}

),

effects as (

    select * from {{ ref('int_registry_effects') }}

)

select
    versions.site_id,
    versions.file,
    versions.line_count,
    versions.in_force_since,
    versions.change,
    -- Keeps what the version's own build counted, because a rebuild cannot count it again.
    coalesce(versions.shift_dates_recomputed, effects.shift_dates, 0) as shift_dates_recomputed
from versions
left join effects
    on versions.file = effects.file_name
