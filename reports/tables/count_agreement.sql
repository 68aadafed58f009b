-- One row per site, station (empty: the whole site) and booked shift, a file for each month of shift dates.
select
    strftime(count_agreement.shift_date, '%Y-%m') as part,
    count_agreement.site_id,
    count_agreement.shift_date,
    count_agreement.shift_id,
    epoch_ms(shift_windows.started_at) as started_ms,
    coalesce(count_agreement.workstation_id, '') as workstation_id,
    coalesce(count_agreement.workstation_name, 'the whole site') as workstation_name,
    case
        when station_releases.is_released then 'released by ' || station_releases.released_by
        when not station_releases.is_released then 'on trial'
        else ''
    end as release,
    count_agreement.units,
    count_agreement.booked_units,
    count_agreement.difference,
    count_agreement.counted_share,
    count_agreement.shift_count,
    count_agreement.recent_share,
    count_agreement.recent_share_low,
    count_agreement.recent_share_high,
    count_agreement.verdict,
    count_agreement.shifts_needed
from count_agreement
left join shift_windows
    on count_agreement.site_id = shift_windows.site_id
    and count_agreement.shift_date = shift_windows.shift_date
    and count_agreement.shift_id = shift_windows.shift_id
left join station_releases
    on count_agreement.site_id = station_releases.site_id and count_agreement.workstation_id = station_releases.workstation_id
order by count_agreement.shift_date, count_agreement.site_id, count_agreement.workstation_id, started_ms, count_agreement.shift_id
