"""Fields that the contract does not define: since when, and how many cameras send them."""

import json
from datetime import UTC, datetime, timedelta

from tests.plant import EVENT, NOW, Plant


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_every_unknown_field_is_published_with_its_first_and_last_landing_and_its_cameras(plant: Plant) -> None:
    for camera in ("c1", "c2"):
        plant.drop(f"events/site_id=A/camera_id={camera}/1.jsonl", lines({**EVENT, "zone": 1}))
    plant.drop("events/site_id=B/camera_id=c1/1.jsonl", lines({**EVENT, "zone": 1, "helmet": True}, {"helmet": 1}))
    plant.land()
    later = NOW + timedelta(days=1)
    plant.drop("events/site_id=A/camera_id=c1/2.jsonl", lines({**EVENT, "zone": 2}, EVENT))
    plant.drop("events/site_id=A/camera_id=c3/3.jsonl", lines({"helmet": 1}))  # no event names the camera; the key does
    plant.batch(later)
    assert plant.mart("unexpected_fields") == [
        {
            "site_id": site_id,
            "field": field,
            "first_seen_at": first,
            "last_seen_at": last,
            "object_count": objects,
            "camera_count": cameras,
        }
        for site_id, field, first, last, objects, cameras in [
            ("A", "helmet", later, later, 1, 1),
            ("A", "zone", NOW, later, 3, 2),
            ("B", "helmet", NOW, NOW, 1, 1),
            ("B", "zone", NOW, NOW, 1, 1),
        ]
    ]


def test_an_object_of_several_cameras_names_a_field_for_each_of_them(plant: Plant) -> None:
    cameras = [{**EVENT, "camera_id": f"c{number}", "zone": 1} for number in range(3)]
    plant.drop("events/a.json", json.dumps(cameras))
    plant.land(datetime(2026, 2, 1, tzinfo=UTC))
    assert [(one["field"], one["camera_id"]) for one in plant.raw("unexpected_fields")] == [
        ("zone", f"c{number}") for number in range(3)
    ]


def test_a_batch_says_which_cameras_send_a_field_that_resembles_one_of_the_contract(plant: Plant) -> None:
    wrong = {"Confidence" if name == "confidence" else name: value for name, value in EVENT.items()}
    plant.drop("events/site_id=A/camera_id=c1/rejected.jsonl", lines(wrong))  # no event names the camera; the key does
    plant.drop("events/site_id=A/several.jsonl", lines(*({**EVENT, "camera_id": f"c{n}", "cnt": 5} for n in (2, 3))))
    plant.drop("events/site_id=A/fine.jsonl", lines({**EVENT, "zone": 1}))
    said: list[str] = []
    plant.land(log=said.append)
    assert [line for line in said if "resembles" in line] == [
        "site A: camera c1 sent Confidence, which resembles confidence and is not read; confidence was meant?",
        "site A: cameras c2, c3 sent cnt, which resembles count and is not read; count was meant?",
    ]
    said.clear()
    plant.land(log=said.append)
    assert not any("resembles" in line for line in said)
