-- A camera that knows persons, states and products and only names its fields differently.
-- Copy this file to registry/mappings/<source>.sql and put your own names into the second and third block.
--
-- What the source cannot know: nothing is guessed here. A field that the camera does not send stays absent.
with read as (
    select
        position,
        from_json(
            record,
            '{"time": "VARCHAR", "person": "VARCHAR", "station": "VARCHAR", "state": "VARCHAR", "score": "DOUBLE",
              "pieces": "BIGINT", "camera": "VARCHAR", "model": "VARCHAR", "version": "VARCHAR"}'
        ) as field
    from records
)

select
    position,
    field.time as timestamp,
    field.person as worker_id,
    field.station as workstation_id,
    field.state as event_type,
    field.score as confidence,
    field.pieces as count,
    field.camera as camera_id,
    field.model as model_name,
    field.version as model_version
from read
