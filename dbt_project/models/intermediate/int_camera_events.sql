{{ config(database="scratch") }}

with sightings as (

    select * from {{ ref('int_sightings') }}

),

cameras as (

    select * from {{ ref('stg_raw__cameras') }}

),

sites as (

    select * from {{ ref('stg_raw__sites') }}

),

-- Local dates are slow to compute, so only events of cameras with dated registry rows get one.
governing as (

    select
        cameras.site_id,
        cameras.camera_id,
        coalesce(any_value(sites.timezone), 'UTC') as timezone,
        bool_or(cameras.valid_from is not null or cameras.valid_to is not null) as is_dated

    from cameras

    left join sites
        on cameras.site_id = sites.site_id

    group by cameras.site_id, cameras.camera_id

),

dated as (

    select
        sightings.*,
        governing.camera_id is not null as is_governed,
        case
            when governing.is_dated
                then cast({{ to_local('sightings.event_at', 'governing.timezone') }} as date)
        end as local_date

    from sightings

    left join governing
        on sightings.site_id = governing.site_id
        and sightings.camera_id = governing.camera_id

),

-- A registry row for the station takes precedence over one for every station.
judged as (

    select
        dated.*,
        case
            when not dated.is_governed then true
            when dated.event_type = 'product_count'
                then coalesce(at_station.is_counting_units, anywhere.is_counting_units, true)
            else coalesce(at_station.is_counting_states, anywhere.is_counting_states, true)
        end as is_admitted

    from dated

    left join cameras as at_station
        on dated.site_id = at_station.site_id
        and dated.camera_id = at_station.camera_id
        and dated.workstation_id = at_station.workstation_id
        and coalesce(dated.local_date >= at_station.valid_from, true)
        and coalesce(dated.local_date <= at_station.valid_to, true)

    left join cameras as anywhere
        on dated.site_id = anywhere.site_id
        and dated.camera_id = anywhere.camera_id
        and anywhere.workstation_id = '*'
        and coalesce(dated.local_date >= anywhere.valid_from, true)
        and coalesce(dated.local_date <= anywhere.valid_to, true)

),

-- Of duplicates the first one counts (contract §3); for figures, the first one from a camera that counts there.
ranked as (

    select
        *,
        row_number() over (
            partition by site_id, event_at, worker_id, workstation_id, event_type
            order by {{ best_duplicate() }}
        ) as duplicate_rank,
        row_number() over (
            partition by site_id, event_at, worker_id, workstation_id, event_type, is_admitted
            order by {{ best_duplicate() }}
        ) as admitted_rank,
        count(*) over (
            partition by site_id, event_at, worker_id, workstation_id, event_type, is_admitted
        ) as admitted_sightings

    from judged

    where is_crowded

)

select
    site_id,
    event_at,
    {{ counted_at('event_at', 'count_total') }} as counted_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count,
    count_total,
    first_object_id,
    is_crowded,
    is_admitted,
    true as is_chosen,
    is_admitted as is_counted,
    false as has_twins
from judged
where not is_crowded

union all

select
    site_id,
    event_at,
    event_at as counted_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count,
    count_total,
    first_object_id,
    is_crowded,
    is_admitted,
    duplicate_rank = 1 as is_chosen,
    is_admitted and admitted_rank = 1 as is_counted,
    admitted_sightings > 1 as has_twins
from ranked
