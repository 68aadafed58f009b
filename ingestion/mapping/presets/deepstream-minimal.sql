-- NVIDIA DeepStream, message converter with the minimal schema: one record for each frame, its objects as texts
-- "tracking id|left|top|right|bottom|class|…|confidence". One camera (sensorId) watches one station.
--
-- What the source cannot know:
-- * Presence is not work. A person in view makes the station `idle` (somebody is there), nobody makes it `absent`.
--   Where presence means work, write 'working' for 'idle'.
-- * Who it is. A tracking id is a new one each time a person comes into view, so these are events of the station.
-- * How sure it is that nobody is there: an empty frame has no confidence, 1 stands for it.
-- Frames are thinned: a record becomes an event only where the state changes.
with frames as (
    select
        position,
        object_key,
        record ->> '@timestamp' as timestamp,
        record ->> 'sensorId' as sensor,
        list_filter(
            list_transform(from_json(record -> 'objects', '["VARCHAR"]'), lambda object: string_split(object, '|')),
            lambda parts: lower(parts[6]) = 'person'
        ) as people
    from records
),

states as (
    select
        *,
        case when len(people) > 0 then 'idle' else 'absent' end as state
    from frames
)

select
    position,
    timestamp,
    sensor as workstation_id,
    sensor as camera_id,
    state as event_type,
    coalesce(list_max(list_transform(people, lambda parts: try_cast(parts[-1] as double))), 1) as confidence,
    'deepstream' as model_name
from states
qualify is_change(state, object_key, sensor, timestamp, position)
