-- Axis Object Analytics, occupancy in area, as the camera sends it over MQTT: `topic`, `timestamp` (milliseconds since
-- 1970), `serial` and `message.data` with texts. The last part of the topic, the scenario, is the station.
--
-- What the source cannot know:
-- * Presence is not work. People in the area make the station `idle`, nobody makes it `absent`. Where presence means
--   work, write 'working' for 'idle'.
-- * Who it is, and how many people work: these are events of the station.
-- * How sure it is: the camera gives no confidence, 1 stands for it.
-- Repetitions are thinned: a record becomes an event only where the state changes.
with readings as (
    select
        position,
        object_key,
        to_timestamp(try_cast(record ->> 'timestamp' as bigint) / 1000) as timestamp,
        record ->> 'serial' as camera,
        string_split(record ->> 'topic', '/')[-1] as scenario,
        try_cast(record -> 'message' -> 'data' ->> 'totalHuman' as bigint) as people
    from records
),

states as (
    select
        *,
        case when people > 0 then 'idle' else 'absent' end as state
    from readings
    where people is not null
)

select
    position,
    timestamp,
    scenario as workstation_id,
    camera as camera_id,
    state as event_type,
    1 as confidence,
    'axis-object-analytics' as model_name
from states
qualify is_change(state, object_key, (camera, scenario), timestamp, position)
