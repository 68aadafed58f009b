-- One row per site and station (empty: the whole site) booked in the selection, as of its newest booked shift there, worst
-- first: stations that count wrong before those that are not known, and of each the farthest from what was booked.
with newest as (

    select *
    from plant.count_agreement
    where ($site is null or site_id = $site) and shift_date between $from_date and $to_date
    qualify row_number() over (
        partition by site_id, workstation_id
        order by started_ms desc, shift_date desc, shift_id desc
    ) = 1

)

select
    site_id,
    workstation_id,
    workstation_name,
    release,
    verdict,
    recent_share,
    recent_share_low,
    recent_share_high,
    shift_count::double as shift_count,
    shifts_needed::double as shifts_needed,
    case
        when verdict <> 'not yet known' then ''
        when shifts_needed is null then '20 shifts like these do not decide: they differ too much, or the share is at the limit'
        when shifts_needed = 1 then '1 more booked shift'
        else shifts_needed || ' more booked shifts'
    end as needed,
    site_id || ' ' || workstation_id as place
from newest
order by
    case verdict when 'counts too few' then 0 when 'counts too many' then 0 when 'not yet known' then 1 else 2 end,
    abs(recent_share - 1) desc nulls last,
    site_id,
    workstation_id
