-- Sparkplug B after decoding to JSON: `topic` (spBv1.0/group/DDATA/node/device) and `payload` with `timestamp`
-- (milliseconds since 1970) and `metrics`. The device is the station and the camera. A birth (DBIRTH) tells the same
-- metrics and is read alike.
-- Put your own names of metrics into the two lists below.
--
-- What the source cannot know:
-- * A machine that runs is not a person who works: `working` here means that the machine says so.
-- * Who is at the machine: these are events of the station.
-- * How sure it is: a controller measures, 1 stands for it.
with metrics as (
    select
        position,
        string_split(record ->> 'topic', '/')[-1] as device,
        record -> 'payload' ->> 'timestamp' as sent_at,
        unnest(from_json(record -> 'payload' -> 'metrics', '["JSON"]')) as metric
    from records
    where string_split(record ->> 'topic', '/')[3] in ('DDATA', 'DBIRTH')
),

readings as (
    select
        position,
        device,
        to_timestamp(try_cast(coalesce(metric ->> 'timestamp', sent_at) as bigint) / 1000) as timestamp,
        lower(metric ->> 'name') as name,
        metric ->> 'value' as value
    from metrics
)

select
    position,
    timestamp,
    device as workstation_id,
    device as camera_id,
    case
        when name in ('parts_total', 'good_parts_total') then 'product_count'
        when value in ('true', '1', 'RUN') then 'working'
        else 'idle'
    end as event_type,
    case when name in ('parts_total', 'good_parts_total') then try_cast(value as bigint) end as count_total,
    1 as confidence,
    'sparkplug-b' as model_name
from readings
where name in ('parts_total', 'good_parts_total', 'running', 'state')
