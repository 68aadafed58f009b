import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion.errors import BucketError, WarehouseBusyError
from ingestion.landing import commit
from ingestion.warehouse import warehouse_lock
from tests.plant import EVENT, NOW, Plant


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_the_contracts_example_is_landed_as_it_is(plant: Plant) -> None:
    plant.drop("events/a.json", json.dumps({**EVENT, "count": 1}))
    plant.land()
    (event,) = plant.raw("events")
    assert event == {
        "object_id": 1,
        "position": 1,
        "part": 1,
        "event_at": datetime(2026, 1, 15, 10, 15, tzinfo=UTC),
        "site_id": "default",
        "camera_id": "unknown",
        "worker_id": "W1",
        "workstation_id": "S3",
        "event_type": "working",
        "confidence": 0.93,
        "unit_count": 1,
        "count_total": None,
        "event_id": None,
        "model_name": "unknown",
        "model_version": "unknown",
    }


def test_the_same_content_under_the_same_key_is_landed_once_and_archived_again(plant: Plant) -> None:
    for _ in range(2):
        path = plant.drop("events/a.jsonl", lines(EVENT))
        report = plant.land()
        assert not path.exists()
    assert (report.objects, report.already_landed, report.archived) == (0, 1, 1)
    assert len(plant.raw("events")) == len(plant.raw("landed_objects")) == 1


def test_new_content_under_an_old_key_is_landed(plant: Plant) -> None:
    for worker in ("W1", "W2"):
        plant.drop("events/a.jsonl", lines({**EVENT, "worker_id": worker}))
        plant.land()
    assert [event["worker_id"] for event in plant.raw("events")] == ["W1", "W2"]


def test_kept_objects_stay_and_are_landed_once(tmp_path: Path) -> None:
    plant = Plant(tmp_path, landed_objects="keep")
    path = plant.drop("events/a.jsonl", lines(EVENT))
    plant.land()
    assert plant.land().already_landed == 1
    assert path.exists()
    assert len(plant.raw("events")) == 1


def test_other_endings_and_unfinished_objects_are_left_alone(plant: Plant) -> None:
    paths = [plant.drop(f"events/{name}", lines(EVENT)) for name in ("a.csv", "b.json.tmp", "_c/d.json", ".e.json")]
    assert plant.land().objects == 0
    assert all(path.exists() for path in paths)


def test_a_record_that_is_plain_and_one_read_exactly_land_alike(plant: Plant) -> None:
    plain = {**EVENT, "timestamp": "2026-01-15T10:15:00.123456Z", "camera_id": "c"}
    # Digits finer than microseconds are not read on the fast path; the value is the same.
    exact = {**plain, "timestamp": "2026-01-15T11:15:00.123456789+01:00"}
    plant.drop("events/a.jsonl", lines(plain, exact))
    plant.land()
    first, second = plant.raw("events")
    assert {**first, "position": 2} == second


def test_fields_the_contract_does_not_know_are_named_per_object(plant: Plant) -> None:
    odd = {**EVENT, "zone": 1, "firmware": {"deep": [1]}, "\ud800": 1}
    plant.drop("events/a.jsonl", lines(odd, {**EVENT, "note": None}, {"confidence": "high", "alpha": 1}, [1]))
    plant.land()
    (landed,) = plant.raw("landed_objects")
    assert landed["unexpected_fields"] == ["alpha", "firmware", "note", "zone", "\ufffd"]
    assert (landed["records"], landed["accepted"], landed["rejected"]) == (4, 2, 2)


def test_rejected_records_keep_position_reason_sentence_and_text(plant: Plant) -> None:
    plant.drop("events/a.jsonl", lines(EVENT) + '\n  {"worker_id": 7}  \r\n')
    plant.land()
    (rejected,) = plant.raw("rejected_records")
    assert rejected == {
        "object_id": 1,
        "position": 3,
        "part": 1,
        "reason": "missing_field",
        "detail": "The record has no timestamp, no workstation_id, no event_type, no confidence.",
        "payload": '{"worker_id": 7}',
        "rejected_at": NOW,
        "superseded_at": None,
    }


def test_a_key_that_is_not_utf8_lands_under_a_name_that_can_be_stored(plant: Plant) -> None:
    folder = plant.landing / "events"
    folder.mkdir(parents=True)
    with open(os.fsencode(folder) + b"/\xff.jsonl", "wb") as file:
        file.write(lines(EVENT).encode())
    assert plant.land().accepted == 1
    assert plant.land().objects == 0
    assert plant.raw("landed_objects")[0]["object_key"] == "events/\\xff.jsonl"


def test_a_failure_inside_the_transaction_leaves_nothing_of_the_object(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.drop("events/a.jsonl", lines({**EVENT, "zone": "north"}))

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(commit, "record_unexpected_fields", fail)
        with pytest.raises(KeyboardInterrupt):
            plant.land()
    assert plant.raw("events") == plant.raw("landed_objects") == []
    assert plant.land().accepted == 1


_KILLED_LANDING = """
import os, signal, sys
from pathlib import Path
from ingestion.landing import batch, commit
from ingestion.bucket import LocalBucket
from tests.plant import Plant

batch.CHUNK_OBJECTS = 3
place, at = sys.argv[2], int(sys.argv[3])
module, name = {"commit": (batch, "commit"), "inside": (commit, "_check_conservation"),
                "archive": (LocalBucket, "archive")}[place]
original, calls = getattr(module, name), 0

def counted(*arguments):
    global calls
    calls += 1
    if calls == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)

setattr(module, name, counted)
Plant(Path(sys.argv[1])).land()
"""


@pytest.mark.parametrize(("place", "at"), [("commit", 1), ("commit", 2), ("inside", 2), ("archive", 1), ("archive", 5)])
def test_a_landing_killed_at_any_point_is_completed_by_the_next_one(plant: Plant, place: str, at: int) -> None:
    for number in range(8):
        plant.drop(f"events/{number}.jsonl", lines(*({**EVENT, "worker_id": f"W{number}-{n}"} for n in range(3)), 7))
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_LANDING, str(plant.settings.data_dir), place, str(at)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    plant.land()
    assert len(plant.raw("landed_objects")) == 8
    assert len(plant.raw("events")) == len({event["worker_id"] for event in plant.raw("events")}) == 24
    assert len(plant.raw("rejected_records")) == 8
    assert list((plant.landing / "events").iterdir()) == []
    assert len(list((plant.landing / "archive/events").iterdir())) == 8


def test_a_second_batch_waits_for_the_first_and_says_so_when_it_gives_up(plant: Plant) -> None:
    said: list[str] = []
    with (
        warehouse_lock(plant.settings),
        pytest.raises(WarehouseBusyError, match=rf"process {os.getpid()}\) is writing"),
        warehouse_lock(plant.settings, wait_seconds=0.2, log=said.append),
    ):
        pytest.fail("two batches held the warehouse at once")
    assert said == [f"waiting for another batch (process {os.getpid()}) to finish"]


def test_a_folder_that_is_not_utf8_is_a_bad_identifier_of_the_records_that_need_it(plant: Plant) -> None:
    folder = os.fsencode(plant.landing) + b"/events/site_id=\xff"
    os.makedirs(folder)
    with open(folder + b"/a.jsonl", "wb") as file:
        file.write(lines(EVENT, {**EVENT, "site_id": "A"}).encode())
    plant.land()
    assert [event["site_id"] for event in plant.raw("events")] == ["A"]
    assert [record["reason"] for record in plant.raw("rejected_records")] == ["bad_identifier"]


def test_a_missing_bucket_is_an_error_and_is_not_recreated(plant: Plant) -> None:
    plant.land()
    plant.landing.rename(plant.landing.with_name("unmounted"))
    with pytest.raises(BucketError, match=r"has no folder events; is it mounted\?"):
        plant.land()
    assert not plant.landing.exists()


def test_a_landing_that_finds_nothing_new_does_not_import_pandas(plant: Plant) -> None:
    """Importing pandas takes longer than all the work of such a landing."""
    (plant.landing / "events").mkdir(parents=True)
    (plant.landing / "events/link.json").symlink_to("a.json")
    program = (
        "import sys; from tests.plant import Plant; from pathlib import Path; "
        "report = Plant(Path(sys.argv[1])).land(); print(report.accepted, report.unread, 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(plant.settings.data_dir)], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "0 1 False"
