"""Random events and labels in random objects and batches: the marts of review equal those of a plain reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ingestion.contract.event_key import event_key, is_in_review_sample
from ingestion.contract.events import EVENT_TYPES, Event
from ingestion.contract.labels import CANNOT_TELL, Label
from tests.plant import Plant
from tests.properties.comparison import bits
from tests.reference.review import compute_review

FRACTION = 0.6
FIRST = datetime(2026, 1, 3, tzinfo=UTC)  # a Saturday: two ISO weeks, and two ISO years
MARTS = ("label_accuracy", "label_confusion", "label_confidence", "reviewer_agreement", "label_estimates")


def random_events(rng: Random) -> list[Event]:
    """Few instants and cameras, so that cameras coincide, agree and disagree, and versions follow each other."""
    return [
        Event(
            timestamp=FIRST + timedelta(hours=rng.randrange(96)),
            site_id=rng.choice("AB"),
            camera_id=rng.choice("cd"),
            worker_id=rng.choice(["W1", "W2"]),
            workstation_id=rng.choice("ST"),
            event_type=rng.choice(EVENT_TYPES),
            confidence=rng.randrange(1, 9) / 8,
            count=rng.randrange(3),
            model_name=rng.choice("mn"),
            model_version=rng.choice("12"),
        )
        for _ in range(400)
    ]


def random_labels(rng: Random, events: list[Event]) -> list[Label]:
    labels = []
    for event in rng.sample(events, 250):
        for reviewer in rng.sample(["reviewer-1", "reviewer-2", "reviewer-3"], rng.randrange(1, 4)):
            true = event.event_type if rng.random() < 0.7 else rng.choice([*EVENT_TYPES, CANNOT_TELL])
            for _ in range(rng.choice([1, 1, 2])):  # sometimes a second one of the same minute
                reviewed_at = FIRST + timedelta(days=5, minutes=rng.randrange(2))
                labels.append(Label(event_key(event), true, reviewer, reviewed_at))
                true = rng.choice(EVENT_TYPES)
    return [*labels, Label("f" * 32, "idle", "reviewer-1", FIRST)]


def line(record: Event | Label) -> str:
    if isinstance(record, Label):
        fields = {name: getattr(record, name) for name in ("event_key", "true_event_type", "reviewer")}
        return json.dumps({**fields, "reviewed_at": record.reviewed_at.isoformat()})
    fields = {name: getattr(record, name) for name in Event.__slots__ if name != "timestamp"}
    return json.dumps({**fields, "timestamp": record.timestamp.isoformat()})


def plant_of(folder: Path, rng: Random, records: list[Event | Label], batches: int) -> Plant:
    """A plant with the records in random objects and random batches, some records twice."""
    plant = Plant(folder, review_fraction=FRACTION)
    sent = [*records, *rng.sample(records, 20)]
    rng.shuffle(sent)
    for batch in range(batches):
        for number in range(4):
            part = sent[batch::batches][number::4]
            for prefix, kind in (("events", Event), ("labels", Label)):
                text = "".join(line(one) + "\n" for one in part if isinstance(one, kind))
                plant.drop(f"{prefix}/{batch}-{number}.jsonl", text)
        plant.batch(now=FIRST + timedelta(days=6), data_tests=True)
    return plant


def key_columns(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(value) for name, value in row.items() if isinstance(value, str) or hasattr(value, "day") or name == "bin"
    )


@dataclass(frozen=True)
class Reviewed:
    """The same records in one batch and in three, in random objects each time."""

    events: list[Event]
    labels: list[Label]
    plant: Plant
    other: Plant


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    rng = Random(1)
    events = random_events(rng)
    labels = random_labels(rng, events)
    one, two = (plant_of(tmp_path_factory.mktemp("plant"), rng, [*events, *labels], batches) for batches in (1, 3))
    return Reviewed(events, labels, one, two)


@pytest.mark.slow
@pytest.mark.parametrize("mart", [*MARTS, "review_queue", "model_versions", "model_comparison"])
def test_the_marts_of_review_never_depend_on_how_the_records_came(reviewed: Reviewed, mart: str) -> None:
    assert bits(reviewed.other.mart(mart)) == bits(reviewed.plant.mart(mart)) != []


@pytest.mark.slow
@pytest.mark.parametrize("mart", MARTS)
def test_the_marts_of_review_are_those_of_a_plain_reading(reviewed: Reviewed, mart: str) -> None:
    in_sample = {row["event_key"] for row in reviewed.plant.mart("review_queue")}
    assert in_sample == {key for key in map(event_key, reviewed.events) if is_in_review_sample(key, FRACTION)}
    expected = compute_review(reviewed.events, reviewed.labels, in_sample)
    found = sorted(reviewed.plant.mart(mart), key=key_columns)
    wanted = sorted(expected[mart], key=key_columns)
    assert len(found) == len(wanted) > 1
    for row, reference in zip(found, wanted, strict=True):
        assert row == pytest.approx(reference, abs=1e-12)


@pytest.mark.slow
def test_versions_side_by_side_are_those_of_a_plain_reading(reviewed: Reviewed) -> None:
    events, plant = reviewed.events, reviewed.plant
    kept: dict[tuple[str, str, str, str], tuple[float, int]] = {}
    seen: dict[tuple[str, str, str, str], list[datetime]] = {}
    states: dict[tuple[Any, ...], dict[tuple[str, str, str], tuple[float, str]]] = {}
    for one in events:
        source = (one.camera_id, one.model_name, one.model_version)
        kept_key = (event_key(one), *source)
        kept[kept_key] = max(kept.get(kept_key, (0.0, 0)), (one.confidence, one.count))
        seen.setdefault((one.site_id, *source), []).append(one.timestamp)
        if one.event_type != "product_count":
            scene = states.setdefault((one.site_id, one.timestamp, one.worker_id, one.workstation_id), {})
            scene[source] = max(scene.get(source, (0.0, "")), (one.confidence, one.event_type))

    versions = plant.mart("model_versions")
    assert {
        (row["site_id"], row["camera_id"], row["model_name"], row["model_version"]): [
            row["first_event_at"],
            row["last_event_at"],
        ]
        for row in versions
    } == {key: [min(times), max(times)] for key, times in seen.items()}
    assert sum(row["event_count"] for row in versions) == len(kept)

    by_key = {event_key(one): one for one in events}
    for row in plant.mart("model_comparison"):
        site, name, version = row["site_id"], row["model_name"], row["model_version"]
        confidences = [
            best[0]
            for (key, _, *model), best in kept.items()
            if [name, version] == model and by_key[key].site_id == site
        ]
        shared = [
            len({state for _, state in scene.values()}) > 1
            for (where, *_), scene in states.items()
            if where == site and len({camera for camera, _, _ in scene}) > 1
            for _, *model in scene
            if [name, version] == model
        ]
        assert row["event_count"] == len(confidences)
        assert row["mean_confidence"] == pytest.approx(sum(confidences) / len(confidences), abs=1e-12)
        assert (row["shared_sightings"], row["disagreeing_sightings"]) == (len(shared), sum(shared))
        assert row["disagreement"] == pytest.approx(sum(shared) / len(shared))
