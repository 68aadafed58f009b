with station_targets as (

    select * from {{ ref('int_station_targets') }}

),

-- No window is longer than a day; it touches at most 25 UTC hours.
numbers as (
    {{ numbers(24) }}
),

hours as (

    select
        station_targets.*,
        {{ utc_hour('station_targets.window_started_at') }} + numbers.number * interval 1 hour as hour

    from station_targets

    inner join numbers
        on {{ utc_hour('station_targets.window_started_at') }} + numbers.number * interval 1 hour
        < station_targets.window_ended_at

)

select
    site_id,
    workstation_id,
    hour,
    shift_date,
    shift_id,
    target_units_per_hour,
    {{ microseconds_between(
        'greatest(window_started_at, hour)', 'least(window_ended_at, hour + interval 1 hour)'
    ) }} as scheduled_microseconds
from hours
