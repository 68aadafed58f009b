-- Frigate, the MQTT topic frigate/events: `type` is new, update or end, `before` and `after` describe one tracked
-- object. A zone is a station; a person's coming into a zone and leaving it are events.
--
-- What the source cannot know:
-- * Presence is not work. A person in the zone makes the station `idle`, one who leaves makes it `absent`, also where a
--   second person is still there. Where presence means work, write 'working' for 'idle'.
-- * Who it is. An id of Frigate is a new one each time, so these are events of the station.
-- Only records that change the zones of a person give events, so that nothing more is to be thinned.
with seen as (
    select
        position,
        record ->> 'type' as kind,
        record -> 'after' ->> 'camera' as camera,
        to_timestamp(
            try_cast(coalesce(record -> 'after' ->> 'end_time', record -> 'after' ->> 'frame_time') as double)
        ) as timestamp,
        try_cast(record -> 'after' ->> 'top_score' as double) as confidence,
        -- an object that is new was nowhere before, one that has ended is nowhere after
        case
            when (record ->> 'type') = 'new' then []
            else coalesce(from_json(record -> 'before' -> 'current_zones', '["VARCHAR"]'), [])
        end as zones_before,
        case
            when (record ->> 'type') = 'end' then []
            else coalesce(from_json(record -> 'after' -> 'current_zones', '["VARCHAR"]'), [])
        end as zones_after
    from records
    where (record -> 'after' ->> 'label') = 'person'
),

changes as (
    select *, unnest(zones_after) as zone, 'idle' as state from seen
    union all
    select *, unnest(zones_before) as zone, 'absent' as state from seen
)

select
    position,
    timestamp,
    zone as workstation_id,
    camera as camera_id,
    state as event_type,
    confidence,
    'frigate' as model_name
from changes
where not (list_contains(zones_before, zone) and list_contains(zones_after, zone))
