{{ config(materialized="replaced", tags=["whole"]) }}

with contacts as (

    select * from {{ ref('stg_raw__contacts') }}

)

select
    site_id,
    line,
    workstation_id,
    cause,
    contact_name as name,  -- noqa: RF04
    phone
from contacts
