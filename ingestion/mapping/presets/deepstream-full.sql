-- NVIDIA DeepStream, message converter with the full schema: one record for each object and frame or event, with
-- `sensor`, `place`, `object` and `event`. The place is the station.
--
-- What the source cannot know:
-- * Presence is not work. A person who enters, moves or stands makes the station `idle`; `exit` and `empty` make it
--   `absent`, also where a second person is still there. Where presence means work, write 'working' for 'idle'.
-- * Who it is. An object's id is a new one each time, so these are events of the station.
-- Frames are thinned: a record becomes an event only where the place's state changes. Objects that are no person, and
-- other kinds of event, give nothing.
with sightings as (
    select
        position,
        object_key,
        record ->> '@timestamp' as timestamp,
        record -> 'sensor' ->> 'id' as sensor,
        record -> 'place' ->> 'name' as place,
        case
            when (record -> 'event' ->> 'type') in ('entry', 'moving', 'stopped') then 'idle'
            when (record -> 'event' ->> 'type') in ('exit', 'empty') then 'absent'
        end as state,
        try_cast(record -> 'object' -> 'person' ->> 'confidence' as double) as confidence,
        record -> 'analyticsModule' ->> 'id' as model_name,
        record -> 'analyticsModule' ->> 'version' as model_version
    from records
    where (record -> 'object' -> 'person') is not null
)

select
    position,
    timestamp,
    place as workstation_id,
    sensor as camera_id,
    state as event_type,
    coalesce(confidence, 1) as confidence,
    model_name,
    model_version
from sightings
where state is not null
qualify is_change(state, object_key, place, timestamp, position)
