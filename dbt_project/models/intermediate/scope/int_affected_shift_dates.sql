{{ config(materialized="incremental", incremental_strategy="affected") }}

-- Once anything happens in one window of a shift date, stations with targets have rows for all its windows.
select distinct
    site_id,
    shift_date
from {{ ref('int_affected_windows') }}
