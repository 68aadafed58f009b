-- Axis Object Analytics, crossline counting, as the camera sends it over MQTT: `topic`, `timestamp` (milliseconds since
-- 1970), `serial` and `message.data` with texts. `total` only grows, until the camera begins anew at 0. The last part
-- of the topic, the scenario, is the station.
--
-- What the source cannot know:
-- * What crosses the line. Each crossing counts as one unit, a person or a pallet that comes back as well: draw the line
--   where only finished products pass, or read one class (`totalHuman`, `totalCar`, …) in place of `total`.
-- * Whether anybody works: a counter has no states.
-- * How sure it is: the camera gives no confidence, 1 stands for it.
select
    position,
    to_timestamp(try_cast(record ->> 'timestamp' as bigint) / 1000) as timestamp,
    string_split(record ->> 'topic', '/')[-1] as workstation_id,
    record ->> 'serial' as camera_id,
    'product_count' as event_type,
    try_cast(record -> 'message' -> 'data' ->> 'total' as bigint) as count_total,
    1 as confidence,
    'axis-object-analytics' as model_name
from records
where (record -> 'message' -> 'data' -> 'total') is not null
