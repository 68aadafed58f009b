{{ config(materialized="replaced", tags=["whole"]) }}
{%- set shifts = var('agreement_shifts') %}
{#- The quantile of Student's t is that of as many blocks. -#}
{%- set blocks = 4 %}
{%- set tolerance = var('agreement_tolerance') %}
{%- set residual = 'blocks.units - ' ~ ratio('sums.units', 'sums.booked_units') ~ ' * blocks.booked_units' %}
{%- set factor = 'cast(' ~ var('agreement_variance_factor') * blocks ~ ' as double) / ' ~ (blocks - 1) %}

with booked as (

    select * from {{ ref('stg_raw__booked') }}

),

windows as (

    select
        site_id,
        shift_date,
        shift_id,
        started_at

    from {{ ref('shift_windows') }}

    where is_complete

),

workstations as (

    select * from {{ ref('stg_raw__workstations') }}

),

steps as (

    {{ numbers(shifts - 1) }}

),

-- An empty station is the whole site, so that keys compare as equal.
counted as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id as place,
        units
    from {{ ref('int_workstation_shift_history') }}

    union all

    select
        site_id,
        shift_date,
        shift_id,
        '' as place,
        {{ whole_sum('units') }} as units
    from {{ ref('int_workstation_shift_history') }}
    group by site_id, shift_date, shift_id

),

compared as (

    select
        booked.site_id,
        booked.shift_date,
        booked.shift_id,
        coalesce(booked.workstation_id, '') as place,
        booked.booked_units,
        coalesce(counted.units, 0) as units,
        row_number() over (
            partition by booked.site_id, booked.workstation_id
            order by windows.started_at, booked.shift_date, booked.shift_id
        ) as shift_number,
        count(*) over (partition by booked.site_id, booked.workstation_id) as place_count

    from booked

    inner join windows
        on booked.site_id = windows.site_id
        and booked.shift_date = windows.shift_date
        and booked.shift_id = windows.shift_id

    left join counted
        on booked.site_id = counted.site_id
        and booked.shift_date = counted.shift_date
        and booked.shift_id = counted.shift_id
        and coalesce(booked.workstation_id, '') = counted.place

),

-- Each shift counts for itself and for those after it. A self-join would compare all shifts of a station.
counting as (

    select
        compared.site_id,
        compared.place,
        compared.shift_number + steps.number as shift_number,
        least(compared.shift_number + steps.number, {{ shifts }}) as shift_count,
        steps.number as steps_back,
        compared.units,
        compared.booked_units

    from compared

    cross join steps

    where compared.shift_number + steps.number <= compared.place_count

),

-- The shifts that count for one, divided into blocks of neighbours.
recent as (

    select
        *,
        {{ whole_quotient(blocks ~ ' * (shift_count - 1 - steps_back)', 'shift_count') }} as block

    from counting

),

blocks as (

    select
        site_id,
        place,
        shift_number,
        shift_count,
        block,
        {{ whole_sum('units') }} as units,
        {{ whole_sum('booked_units') }} as booked_units

    from recent

    group by site_id, place, shift_number, shift_count, block

),

sums as (

    select
        site_id,
        place,
        shift_number,
        {{ whole_sum('units') }} as units,
        {{ whole_sum('booked_units') }} as booked_units

    from blocks

    group by site_id, place, shift_number

),

-- What each block counted beyond the share of all blocks.
residuals as (

    select
        blocks.site_id,
        blocks.place,
        blocks.shift_number,
        blocks.shift_count,
        sums.booked_units,
        {{ ratio('sums.units', 'sums.booked_units') }} as recent_share,
        max(case when blocks.block = 0 then {{ residual }} end) as residual_0,
        max(case when blocks.block = 1 then {{ residual }} end) as residual_1,
        max(case when blocks.block = 2 then {{ residual }} end) as residual_2,
        max(case when blocks.block = 3 then {{ residual }} end) as residual_3

    from blocks

    inner join sums
        on blocks.site_id = sums.site_id
        and blocks.place = sums.place
        and blocks.shift_number = sums.shift_number

    group by
        blocks.site_id, blocks.place, blocks.shift_number, blocks.shift_count, sums.units, sums.booked_units

),

-- Added up in the order of the blocks.
squares as (

    select
        *,
        residual_0 * residual_0 + residual_1 * residual_1 + residual_2 * residual_2 + residual_3 * residual_3
            as residual_squares

    from residuals

),

-- Even without residuals, a few units prove no more than they can.
half_widths as (

    select
        site_id,
        place,
        shift_number,
        shift_count,
        recent_share,
        case
            when shift_count >= {{ var('fewest_agreement_shifts') }} and booked_units > 0
                then greatest({{ var('agreement_t') }} * sqrt({{ factor }} * residual_squares), 3) / booked_units
        end as half_width

    from squares

),

intervals as (

    select
        *,
        -- not greatest(), which knows no NULL
        case when recent_share < half_width then 0 else recent_share - half_width end as share_low,
        recent_share + half_width as share_high,
        -- How narrow the interval must become to lie on one side of the tolerance's nearer end.
        abs(abs(recent_share - 1) - {{ tolerance }}) as half_width_needed

    from half_widths

),

verdicts as (

    select
        *,
        shift_count * (half_width / nullif(half_width_needed, 0)) * (half_width / nullif(half_width_needed, 0))
            as shifts_that_decide,
        case
            when share_high < 1 - {{ tolerance }} then 'counts too few'
            when share_low > 1 + {{ tolerance }} then 'counts too many'
            when share_low >= 1 - {{ tolerance }} and share_high <= 1 + {{ tolerance }} then 'agrees'
            else 'not yet known'
        end as verdict

    from intervals

)

select
    compared.site_id,
    compared.shift_date,
    compared.shift_id,
    case when compared.place <> '' then compared.place end as workstation_id,
    case when compared.place <> '' then coalesce(workstations.workstation_name, compared.place) end as workstation_name,
    compared.units,
    compared.booked_units,
    compared.units - compared.booked_units as difference,
    {{ ratio('compared.units', 'compared.booked_units') }} as counted_share,
    verdicts.shift_count,
    verdicts.recent_share,
    cast(verdicts.share_low as double) as recent_share_low,
    cast(verdicts.share_high as double) as recent_share_high,
    verdicts.verdict,
    cast(case
        when verdicts.verdict <> 'not yet known' then 0
        when verdicts.shift_count < {{ var('fewest_agreement_shifts') }}
            then {{ var('fewest_agreement_shifts') }} - verdicts.shift_count
        when verdicts.shifts_that_decide <= {{ shifts }}
            then greatest(-floor(-verdicts.shifts_that_decide) - verdicts.shift_count, 1)
    end as bigint) as shifts_needed
from compared
inner join verdicts
    on compared.site_id = verdicts.site_id
    and compared.place = verdicts.place
    and compared.shift_number = verdicts.shift_number
left join workstations
    on compared.site_id = workstations.site_id
    and compared.place = workstations.workstation_id
