"""Awkward objects: landing stores what the naive reading of the contract reads."""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.plant import NOW, Plant
from tests.properties.awkward_objects import awkward_object
from tests.reference.groups import moment
from tests.reference.reading import Reading, read_object

OBJECTS_PER_EXAMPLE = 400
SHOWN_AT_MOST = 3

Verdicts = dict[Any, dict[str, Any]]
EVENT_COLUMNS = (
    "part, event_at, site_id, camera_id, worker_id, workstation_id, event_type, confidence, unit_count,"
    " model_name, model_version, event_id, count_total"
)


def landed(objects: dict[str, bytes]) -> Verdicts:
    """The stored result for each object after one landing. The only function that knows how it is stored."""
    with TemporaryDirectory() as folder:
        plant = Plant(Path(folder))
        for key, content in objects.items():
            plant.drop(key, content)
        plant.land()
        manifest = plant.query("from warehouse.raw.landed_objects", attach=True)
        events, rejected = (
            plant.query(f"select object_id, position, {columns} from warehouse.raw.{table} order by all", attach=True)
            for table, columns in (("events", EVENT_COLUMNS), ("rejected_records", "part, reason, payload"))
        )
    verdicts: Verdicts = {
        row["object_id"]: {
            "object_key": row["object_key"],
            "records": row["records"],
            "counts": (row["accepted"], row["rejected"]),
            "unexpected_fields": row["unexpected_fields"],
            "accepted": [],
            "rejected": [],
        }
        for row in manifest
    }
    for table, rows in (("accepted", events), ("rejected", rejected)):
        for row in rows:
            verdicts[row.pop("object_id")][table].append(tuple(row.values()))
    return {own.pop("object_key"): own for own in verdicts.values()}


def as_stored(reading: Reading) -> dict[str, Any]:
    return {
        "records": reading.records,
        "counts": (len(reading.accepted), len(reading.rejected)),
        "unexpected_fields": reading.unexpected_fields,
        "accepted": [
            (
                position,
                part,
                moment(event.at),
                event.site_id,
                event.camera_id,
                event.worker_id,
                event.workstation_id,
                event.event_type,
                event.confidence,
                event.count,
                event.model_name,
                event.model_version,
                event.event_id,
                event.count_total,
            )
            for position, part, event in reading.accepted
        ],
        "rejected": [(each.position, each.part, each.reason, each.payload) for each in reading.rejected],
    }


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 2**32 - 1))
def test_every_awkward_object_is_stored_as_the_contract_reads_it(seed: int) -> None:
    random = Random(seed)
    objects = dict(awkward_object(number, random) for number in range(OBJECTS_PER_EXAMPLE))
    expected = {key: as_stored(read_object(key, content, NOW)) for key, content in objects.items()}
    verdicts = landed(objects)
    assert verdicts.keys() == expected.keys()
    different = [key for key in objects if verdicts[key] != expected[key]]
    assert [(key, objects[key], verdicts[key], expected[key]) for key in different[:SHOWN_AT_MOST]] == []
