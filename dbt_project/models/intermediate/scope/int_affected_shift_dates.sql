{{ config(materialized="incremental", incremental_strategy="affected") }}

-- A shift date has rows for all its windows, of stations with targets, as soon as anything happens in one of them.
select distinct
    site_id,
    shift_date
from {{ ref('int_affected_windows') }}
