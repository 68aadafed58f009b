{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "window", "day": "shift_date"}) }}
-- depends_on: {{ lists_of('window') }}

with stretches as (

    select * from {{ ref('int_clock_stretches') }}

),

-- No stretch is longer than a window, which limits the hours it can touch.
numbers as (
    {{ numbers(26) }}
),

station_hours as (

    select distinct
        stretches.site_id,
        stretches.workstation_id,
        {{ local_hour('stretches.started_at', '0') }} + numbers.number * interval 1 hour as hour

    from stretches

    inner join numbers
        on {{ local_hour('stretches.started_at', '0') }} + numbers.number * interval 1 hour < stretches.ended_at

    where stretches.kind = 'observed'

),

-- Nothing but site, station and hour decides which hours are drawn and which instants in them.
keyed as (

    select
        *,
        {{ audit_hash('hour') }} as drawn_hash

    from station_hours

),

draws as (

    select
        site_id,
        workstation_id,
        concat('{{ var("audit_key_prefix") }}', drawn_hash) as audit_key,
        {{ add_microseconds('hour', hex_number("substr(drawn_hash, 21, 12)") ~ " % 3600000000") }} as sampled_at

    from keyed

    where drawn_hash < '{{ var("audit_hashes_below") }}'

),

-- What was reported there then: working if anybody is working, else idle if anybody is idle, else absent.
seen as (

    select
        draws.site_id,
        stretches.shift_date,
        stretches.shift_id,
        draws.audit_key,
        draws.sampled_at,
        draws.workstation_id,
        max(case when stretches.kind = 'observed' then 1 else 0 end) as is_observed,
        max(case when stretches.kind = 'working' then 1 else 0 end) as is_working,
        max(case when stretches.kind = 'idle' then 1 else 0 end) as is_idle,
        max(case when stretches.kind = 'absent' then 1 else 0 end) as is_absent

    from draws

    inner join stretches
        on draws.site_id = stretches.site_id
        and draws.workstation_id = stretches.workstation_id
        and draws.sampled_at >= stretches.started_at
        and draws.sampled_at < stretches.ended_at

    group by
        draws.site_id,
        stretches.shift_date,
        stretches.shift_id,
        draws.audit_key,
        draws.sampled_at,
        draws.workstation_id

)

select
    site_id,
    shift_date,
    shift_id,
    audit_key,
    sampled_at,
    workstation_id,
    case
        when is_working = 1 then 'working'
        when is_idle = 1 then 'idle'
        when is_absent = 1 then 'absent'
    end as reported_state,
    cast({{ var('audit_inclusion_probability') }} as double) as inclusion_probability
from seen
where is_observed = 1
