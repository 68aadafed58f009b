-- One row per station that fell behind its targets so far in the selection: the units lost, the main cause, and the
-- station's usual loss of an equal target. Unusual losses come first: at least half more than usual, and more by at
-- least a twentieth of the target.
with chosen as (

    select
        site_id,
        workstation_id,
        arg_max(workstation_name, shift_date) as workstation_name,
        arg_max(line, shift_date) as line,
        sum(target_units_so_far) as target_units,
        sum(units)::double as made_units,
        sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin,
        sum(observed_seconds) / nullif(sum(staffed_seconds), 0) as evidence,
        sum(target_units_so_far * usual_loss) as usual_units,
        sum(target_units_per_hour * working_seconds / 3600 - units) as slow_units,
        sum(target_units_per_hour * idle_seconds / 3600) as idle_units,
        sum(target_units_per_hour * unstaffed_seconds / 3600) as unstaffed_units,
        sum(target_units_per_hour * not_seen_seconds / 3600) as not_seen_units
    from plant.station_targets
    where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date
    group by site_id, workstation_id

),

lost as (

    select
        *,
        target_units - made_units as lost_units,
        coalesce(
            target_units - made_units > greatest(1.5 * usual_units, usual_units + 0.05 * target_units), false
        ) as is_unusual,
        greatest(slow_units, idle_units, unstaffed_units, not_seen_units) as most
    from chosen
    where target_units > made_units

)

select
    site_id,
    workstation_id,
    workstation_name,
    line,
    target_units,
    made_units,
    lost_units,
    usual_units,
    is_unusual,
    is_thin,
    evidence,
    made_units / target_units as attainment,
    slow_units,
    idle_units,
    unstaffed_units,
    not_seen_units,
    case
        when most is null then 'no camera watches it'
        when most = not_seen_units then 'not seen'
        when most = unstaffed_units then 'unstaffed'
        when most = idle_units then 'idle'
        else 'slow'
    end as cause,
    case
        when most is null or most = not_seen_units then 'not_seen'
        when most = unstaffed_units then 'unstaffed'
        when most = idle_units then 'idle'
        else 'slow'
    end as cause_id,
    lost_units / sum(lost_units) over () as share_of_loss,
    sum(lost_units) over (order by is_unusual desc, lost_units desc, site_id, workstation_id) / sum(lost_units) over () as share_until_here
from lost
order by is_unusual desc, lost_units desc, site_id, workstation_id
limit 30
