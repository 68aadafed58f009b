{{ config(tags=["calendar"]) }}

with site_days as (

    select * from {{ ref('int_site_days') }}

),

shifts as (

    select * from {{ ref('stg_raw__shifts') }}

),

sites as (

    select distinct site_id from site_days

),

default_shifts as (

    {%- for shift in var('default_shifts') %}
        select
            '{{ shift.shift_id }}' as shift_id,
            '{{ shift.start_local }}' as start_local,
            {{ shift.duration_minutes }} as duration_minutes
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

own_shifts as (

    select
        sites.site_id,
        shifts.shift_id,
        shifts.start_local,
        shifts.duration_minutes,
        shifts.valid_from,
        shifts.valid_to,
        shifts.weekdays

    from sites

    inner join shifts
        on sites.site_id = shifts.site_id

),

sites_without_own as (

    select sites.site_id

    from sites

    left join shifts
        on sites.site_id = shifts.site_id

    where shifts.site_id is null

),

common_shifts as (

    select
        sites_without_own.site_id,
        shifts.shift_id,
        shifts.start_local,
        shifts.duration_minutes,
        shifts.valid_from,
        shifts.valid_to,
        shifts.weekdays

    from sites_without_own

    inner join shifts
        on shifts.site_id = '*'

),

fallback_shifts as (

    select
        sites_without_own.site_id,
        default_shifts.shift_id,
        default_shifts.start_local,
        default_shifts.duration_minutes,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to,
        cast(null as varchar) as weekdays

    from sites_without_own

    cross join default_shifts

    where not exists (
        select 1
        from shifts
        where shifts.site_id = '*'
    )

)

select * from own_shifts
union all
select * from common_shifts
union all
select * from fallback_shifts
