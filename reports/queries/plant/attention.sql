-- What a line lead looks into first, a row each, the most severe kind first: open incidents, silent cameras, stations that
-- made least of their target in the newest complete shift, records that were refused since yesterday.
with focus as (

    select
        site_id,
        shift_date,
        shift_id
    from plant.site_windows
    where shift_id <> 'unscheduled' and is_complete
    qualify row_number() over (
        partition by site_id order by shift_date desc, started_ms desc nulls last, shift_id desc
    ) = 1

),

-- A camera is silent when the site's others went on for two hours or more after its last event.
cameras as (

    select
        site_id,
        camera_id,
        max(last_event_at) as last_event_at,
        max(max(last_event_at)) over (partition by site_id) as site_last_event_at
    from camera_days
    group by site_id, camera_id

),

gaps as (

    select
        workstation_shifts.site_id,
        workstation_shifts.workstation_id,
        workstation_shifts.workstation_name,
        workstation_shifts.shift_date,
        workstation_shifts.shift_id,
        workstation_shifts.units,
        workstation_shifts.target_units,
        row_number() over (
            order by
                workstation_shifts.units - workstation_shifts.target_units,
                workstation_shifts.site_id,
                workstation_shifts.workstation_id
        ) as place
    from workstation_shifts
    inner join focus
        on
            workstation_shifts.site_id = focus.site_id
            and workstation_shifts.shift_date = focus.shift_date
            and workstation_shifts.shift_id = focus.shift_id
    where workstation_shifts.units < workstation_shifts.target_units

),

refused as (

    select
        count(*) as records,
        mode(reason) as reason
    from rejected_records
    where rejected_at > cast(getvariable('published_at') as timestamp) - interval 24 hour

),

listed as (

    select
        if(severity = 'critical', 0, 1) as severity,
        'Open incident' as kind,
        site_id,
        coalesce(nullif(cell, ''), metric) as subject,
        sentence as what,
        '/models/' as path  -- the one page that lists incidents
    from incidents
    where closed_at is null
    union all
    select
        2,
        'Silent camera',
        cameras.site_id,
        cameras.camera_id,
        'no events since '
        || strftime(timezone(coalesce(sites.timezone, 'UTC'), cameras.last_event_at), '%Y-%m-%d %H:%M') || ', '
        || date_diff('hour', cameras.last_event_at, cameras.site_last_event_at)
        || ' h before the newest of its site',
        '/data-health/'
    from cameras
    left join sites
        on cameras.site_id = sites.site_id
    where cameras.last_event_at <= cameras.site_last_event_at - interval 2 hour
    union all
    select
        3,
        'Behind target',
        site_id,
        workstation_name,
        cast(units as varchar) || ' of ' || cast(cast(round(target_units) as bigint) as varchar) || ' units, '
        || shift_id || ' ' || strftime(shift_date, '%Y-%m-%d'),
        '/workstations/' || url_encode(site_id) || '/' || url_encode(workstation_id) || '/'
    from gaps
    where place <= 5
    union all
    select
        4,
        'Refused records',
        '',
        cast(records as varchar) || ' records',
        'in the last 24 hours, most often for ' || reason,
        '/data-health/'
    from refused
    where records > 0
)

select * from listed
order by severity, site_id, subject
