from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import dagster as dg
import duckdb
import pytest

from ingestion.bucket import ObjectInfo
from ingestion.errors import BucketError
from ingestion.settings import Settings
from orchestration.definitions import BATCH
from orchestration.live import decision
from orchestration.live.decision import Failures, Landed, Start, Wait, decide, fingerprint, remember
from orchestration.sensors.landing import build_landing_sensor, failures_of, published_manifest
from tests.plant import Plant


def at(hour: int) -> datetime:
    return datetime(2026, 1, 15, hour, tzinfo=UTC)


EVENT = ObjectInfo("events/a.jsonl", 10, at(9))
SITES = ObjectInfo("registry/sites.csv", 20, at(8))
ASKED = remember(Start(fingerprint([EVENT, SITES]), fingerprint([SITES]), ""))
LANDED = {EVENT.key: Landed(frozenset({10}), at(10))}

DECISIONS = {
    "an empty bucket": ([], [], {}, "", False, Wait),
    "a first object": ([EVENT], [], {}, "", False, Start),
    "a registry file alone": ([], [SITES], {}, "", False, Start),
    "the same listing again": ([EVENT], [SITES], {}, ASKED, False, Wait),
    "the object moved away since": ([], [SITES], {}, ASKED, False, Wait),
    "another object": ([ObjectInfo("events/b.jsonl", 10, at(9))], [SITES], {}, ASKED, False, Start),
    "the key with another size": ([ObjectInfo(EVENT.key, 11, at(9))], [SITES], {}, ASKED, False, Start),
    "the key written again": ([ObjectInfo(EVENT.key, 10, at(11))], [SITES], {}, ASKED, False, Start),
    "a changed registry file": ([], [ObjectInfo(SITES.key, 20, at(9))], {}, ASKED, False, Start),
    "a registry file taken away": ([], [], {}, ASKED, False, Start),
    "a batch waits already": ([EVENT], [], {}, "", True, Wait),
    "kept and landed": ([EVENT], [], LANDED, remember(Start("", fingerprint([]), "")), False, Wait),
    "kept, and changed since": ([ObjectInfo(EVENT.key, 10, at(11))], [], LANDED, "", False, Start),
    "kept, and another size": ([ObjectInfo(EVENT.key, 11, at(9))], [], LANDED, "", False, Start),
}


@pytest.mark.parametrize(
    ("events", "registry", "landed", "asked", "is_batch_waiting", "answer"), DECISIONS.values(), ids=DECISIONS.keys()
)
def test_a_batch_starts_when_there_is_something_to_land(
    events: list[ObjectInfo],
    registry: list[ObjectInfo],
    landed: dict[str, Landed],
    asked: str,
    is_batch_waiting: bool,
    answer: type,
) -> None:
    decision = decide(
        events,
        registry,
        landed=landed,
        requested=asked,
        is_batch_waiting=is_batch_waiting,
        failures=None,
        now=at(10),
    )
    assert isinstance(decision, answer)
    assert decision.reason


@pytest.mark.parametrize(
    ("count", "seconds", "is_batch_waiting", "answer"),
    [
        (1, 59, False, Wait),
        (1, 60, False, Start),
        (2, 119, False, Wait),
        (2, 120, False, Start),
        (3, 300, False, Start),
        (4, 899, False, Wait),
        (4, 900, False, Start),
        (1, 900, True, Wait),
    ],
)
@pytest.mark.parametrize("events", [[], [EVENT]], ids=["an empty bucket", "the same objects"])
def test_a_failed_batch_is_requested_again_after_ever_longer_pauses_whatever_the_bucket_holds(
    events: list[ObjectInfo], count: int, seconds: int, is_batch_waiting: bool, answer: type
) -> None:
    decision = decide(
        events,
        [SITES],
        landed={},
        requested=ASKED,
        is_batch_waiting=is_batch_waiting,
        failures=Failures(count, "the-run", at(9)),
        now=at(9) + timedelta(seconds=seconds),
    )
    assert isinstance(decision, answer)
    assert "failed" in decision.reason


def test_a_listing_has_the_same_fingerprint_in_any_order() -> None:
    assert fingerprint([EVENT, SITES]) == fingerprint([SITES, EVENT])


def evaluate(plant: Plant, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"settings": plant.settings})
    answer = build_landing_sensor(BATCH)(context)
    assert isinstance(answer, dg.SensorResult | dg.SkipReason)
    return answer


def run_key(answer: dg.SensorResult | dg.SkipReason) -> str:
    assert isinstance(answer, dg.SensorResult)
    [request] = answer.run_requests or []
    assert request.run_key
    return request.run_key


def test_the_run_key_is_the_same_until_the_listing_changes(plant: Plant) -> None:
    plant.drop("events/a.jsonl", "{}")
    with dg.DagsterInstance.ephemeral() as instance:
        first, second = evaluate(plant, instance), evaluate(plant, instance)
        plant.drop("events/b.jsonl", "{}")
        third = evaluate(plant, instance)
    keys = [run_key(answer) for answer in (first, second, third)]
    assert keys[0] == keys[1]
    assert keys[2] != keys[0]


def test_failures_count_from_the_last_success_and_end_with_the_next_one(plant: Plant) -> None:
    outcomes = iter([False, True, False, False, True])

    @dg.op
    def land() -> None:
        if not next(outcomes):
            raise BucketError("The bucket cannot be reached.")

    @dg.job(name=BATCH)
    def batch() -> None:
        land()

    with dg.DagsterInstance.ephemeral() as instance:
        assert failures_of(instance, BATCH) is None
        for _ in range(4):
            batch.execute_in_process(instance=instance, raise_on_error=False)
        failures = failures_of(instance, BATCH)
        assert failures is not None
        assert failures.count == 2
        assert isinstance(evaluate(plant, instance), dg.SkipReason)  # not yet: the last one has just failed
        batch.execute_in_process(instance=instance, raise_on_error=False)
        assert failures_of(instance, BATCH) is None


def test_a_bucket_with_nothing_new_is_skipped_with_a_reason(plant: Plant) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        answer = evaluate(plant, instance)
    assert isinstance(answer, dg.SkipReason)
    assert answer.skip_message == "Nothing new in the bucket."


def test_a_file_that_is_still_being_written_is_nothing_new(plant: Plant) -> None:
    plant.drop("events/a.jsonl.part", "{}")
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(evaluate(plant, instance), dg.SkipReason)


def test_a_file_that_is_still_changing_is_requested_when_it_has_stopped(plant: Plant) -> None:
    waiting = Plant(plant.settings.data_dir, still_seconds=60)
    path = waiting.drop("events/a.jsonl", "{}")
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(evaluate(waiting, instance), dg.SkipReason)
        os.utime(path, (path.stat().st_mtime - 61,) * 2)
        assert isinstance(evaluate(waiting, instance), dg.SensorResult)


def test_of_a_long_backlog_the_first_objects_are_enough(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "BACKLOG_OBJECTS", 3)
    for number in range(5):
        plant.drop(f"events/{number}.jsonl", "{}")
    with dg.DagsterInstance.ephemeral() as instance:
        answer = evaluate(plant, instance)
    assert isinstance(answer, dg.SensorResult)
    assert (answer.run_requests or [])[0].tags["floorhouse/reason"] == "3 new objects"


def test_a_bucket_that_cannot_be_listed_is_an_error_and_never_nothing_new(plant: Plant) -> None:
    plant.landing.mkdir(parents=True)
    (plant.landing / "events").write_text("a file where the folder should be")
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(BucketError):
        evaluate(plant, instance)


def test_objects_that_are_kept_and_published_are_not_requested_again(plant: Plant) -> None:
    kept = Plant(plant.settings.data_dir, landed_objects="keep")
    path = kept.drop("events/a.jsonl", "{}")
    kept.settings.published_path.mkdir()
    duckdb.connect().execute(f"""
        copy (select 'events/a.jsonl' as object_key, 2::bigint as bytes, now() + interval 1 minute as landed_at)
        to '{kept.settings.published_path}/landed_objects.parquet' (format parquet)
    """)
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(evaluate(kept, instance), dg.SkipReason)
        path.write_text("{ }")
        assert isinstance(evaluate(kept, instance), dg.SensorResult)


def test_where_landed_objects_are_moved_away_the_marts_are_not_even_read(plant: Plant) -> None:
    plant.settings.published_path.mkdir()
    (plant.settings.published_path / "landed_objects.parquet").write_text("not Parquet")
    assert published_manifest(Settings(data_dir=plant.settings.data_dir)) == {}
