-- Roboflow Inference: one record for each image, with `predictions` (class, confidence). The program that asks for the
-- inference adds `timestamp` and `camera` to the answer; the camera is the station.
--
-- What the source cannot know:
-- * When and where the image was taken: the answer has neither. A record without `timestamp` is rejected, since the time
--   of arrival would be a guess.
-- * Presence is not work. A model with the classes working, idle and absent says more; of any other model a `person`
--   makes the station `idle`, and an image without one makes it `absent`.
-- * Who it is: these are events of the station.
-- * How sure it is that nobody is there: an empty image has no confidence, 1 stands for it.
-- Images are thinned: a record becomes an event only where the state changes.
with images as (
    select
        position,
        object_key,
        record ->> 'timestamp' as timestamp,
        record ->> 'camera' as camera,
        list_filter(
            from_json(record -> 'predictions', '[{"class": "VARCHAR", "confidence": "DOUBLE"}]'),
            lambda one: one.class in ('person', 'absent', 'idle', 'working')
        ) as predictions
    from records
),

best as (
    select
        *,
        list_max(list_transform(predictions, lambda one: {'confidence': one.confidence, 'class': one.class})) as one
    from images
),

states as (
    select
        *,
        case when one is null then 'absent' when one.class = 'person' then 'idle' else one.class end as state
    from best
)

select
    position,
    timestamp,
    camera as workstation_id,
    camera as camera_id,
    state as event_type,
    coalesce(one.confidence, 1) as confidence,
    'roboflow' as model_name
from states
qualify is_change(state, object_key, camera, timestamp, position)
