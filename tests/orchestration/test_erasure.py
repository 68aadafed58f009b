"""A person is removed from all stored data. The search that proves it finds the person before."""

import contextlib
import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from floorhouse.program import main
from ingestion.bucket import Bucket, open_bucket
from ingestion.bucket.rewriting import every_object
from ingestion.identity.journal import RECORD, pending_erasures
from ingestion.warehouse import warehouse_lock
from orchestration.dagster_home import dagster_records
from orchestration.dbt import runner
from orchestration.deletions import erase_worker, finish_deletions, search_worker
from reports.data import publish_data
from tests.orchestration.mortal import Mortal
from tests.plant import NOW, WITHOUT_DATA_TESTS, Plant
from tests.s3_server import BUCKET

SITE, WORKER, NAME = "north", "Worker-17", "Jane Doe-Smith"
KEY = "a key that is long enough for a plant"
PSEUDONYMS = {"worker_identity": "pseudonym", "pseudonym_key": KEY}
EVENT = {"workstation_id": "S3", "event_type": "working", "confidence": 0.93}


def event(minute: int, worker: str = WORKER, site: str = SITE, **fields: Any) -> str:
    time = f"2026-01-15T10:{minute:02d}:00Z"
    return json.dumps({"timestamp": time, "worker_id": worker, "site_id": site, **EVENT, **fields})


def lines(*records: str) -> bytes:
    return "".join(record + "\n" for record in records).encode()


@pytest.fixture(params=["local", "s3"])
def where(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings that put the bucket into the data folder or onto an S3 server."""
    if request.param == "local":
        return {}
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    return {"landing_url": f"s3://{BUCKET}/{tmp_path.name}"}


def bucket_of(plant: Plant) -> Bucket:
    return open_bucket(plant.settings.landing_url, create=True)


def fill(plant: Plant) -> None:
    """Two versions of the marts, a site, logs, Dagster's records, and objects of every kind that name the person."""
    bucket = bucket_of(plant)
    bucket.put("registry/workers.csv", f"site_id,worker_id,name\n{SITE},{WORKER},{NAME}\n{SITE},W2,Jim\n".encode())
    bucket.put("events/a.jsonl", lines(event(0), event(1, "W2"), event(2, count="many"), event(3, "Worker-170")))
    packed = gzip.compress(lines(event(4), event(5, site="south")))
    bucket.put("events/b.json.gz", packed)
    plant.batch()
    array = f"[{event(6)}, {event(7, 'W2')}]".encode()
    bucket.put(f"events/site_id={SITE}/c.json.zst", zstandard.ZstdCompressor().compress(array))
    bucket.put("events/d.jsonl", b'{"worker_id": "Worker-17", "site_id": "north\n')
    plant.batch()
    publish_data(plant.settings.published_path, plant.settings.site_path / "data")
    bucket.put("events/later.jsonl", lines(event(8), event(9, "W2")))  # not yet landed
    for name, text in (("logs/batch.log", f"ok\ncannot read {WORKER} of {SITE}\n"), ("alerts.log", "fine\n")):
        path = plant.settings.data_dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    plant.settings.dagster_home.mkdir()
    with contextlib.closing(sqlite3.connect(plant.settings.dagster_home / "runs.db")) as records:
        records.execute("create table event_logs (id integer primary key, event text)")
        records.executemany(
            "insert into event_logs (event) values (?)", [("batch ok",), (f"bad value {WORKER} at {SITE}",)]
        )
        records.commit()


Filled = Callable[..., Plant]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, str]], Path]:
    """Returns the data folder of a plant that was filled under given settings; each is made once for all tests."""
    made: dict[str, Path] = {}

    def make(settings: dict[str, str]) -> Path:
        name = json.dumps(settings, sort_keys=True)
        if name not in made:
            made[name] = tmp_path_factory.mktemp("prepared")
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(runner, "BUILD", WITHOUT_DATA_TESTS)
                fill(Plant(made[name], **settings))
        return made[name]

    return make


@pytest.fixture
def filled(prepared: Callable[[dict[str, str]], Path], tmp_path: Path) -> Filled:
    """Returns a separate copy of a filled plant, with the bucket in its folder or on a server."""

    def make(where: dict[str, str] | None = None, **settings: str) -> Plant:
        plant = Plant(tmp_path / "plant", **(where or {}), **settings)
        if where and plant.settings.landed_objects == "keep":
            fill(plant)  # the manifest contains the etags, which only the server determines
            return plant
        source = prepared(settings)
        shutil.copytree(source, plant.settings.data_dir, symlinks=True)
        if where:
            shutil.rmtree(plant.landing)
            here, there = open_bucket((source / "landing").as_uri()), bucket_of(plant)
            for fetched in here.fetch([info.key for info in every_object(here)]):
                there.put(fetched.key, fetched.content or b"")
        return plant

    return make


@pytest.fixture(scope="module")
def killer() -> Iterator[Mortal]:
    with Mortal() as one:
        yield one


pytestmark = pytest.mark.usefixtures("_without_data_tests")


def all_bytes(plant: Plant) -> Iterator[tuple[str, bytes]]:
    """Every file of the data folder and every object, unpacked, read without code that erases or searches."""
    for path in plant.settings.data_dir.rglob("*"):
        if path.is_file():
            yield path.as_posix(), path.read_bytes()
    bucket = bucket_of(plant)
    for fetched in bucket.fetch([info.key for info in every_object(bucket)]):
        content = fetched.content or b""
        if fetched.key.endswith(".gz"):
            content = gzip.decompress(content)
        if fetched.key.endswith(".zst"):
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        yield fetched.key, content


def places(plant: Plant, text: str) -> list[str]:
    """The places that contain a text, except as the beginning of the id Worker-170."""
    return [place for place, content in all_bytes(plant) if text.encode() in content.replace(b"Worker-170", b"")]


def erase_now(plant: Plant, worker: str = WORKER, site: str = SITE) -> int:
    with warehouse_lock(plant.settings):
        return len(erase_worker(plant.settings, site, worker).proof.found)


def search_now(plant: Plant, worker: str = WORKER, site: str = SITE) -> dict[str, int]:
    with warehouse_lock(plant.settings):
        return search_worker(plant.settings, site, worker).found


def others(plant: Plant) -> list[tuple[str, str]]:
    return sorted((row["site_id"], row["worker_id"]) for row in plant.mart("worker_shifts"))


def test_a_person_is_found_everywhere_before_and_nowhere_after(filled: Filled, where: dict[str, str]) -> None:
    plant = filled(where)
    found = " ".join(search_now(plant))
    for part in ("warehouse.duckdb: raw.events", "marts.worker_shifts", "published-versions", "site/data", "registry/"):
        assert part in found
    for part in ("archive/events/a", "archive/events/b", "/c.", "events/later", "batch.log", "runs.db", "(bytes)"):
        assert part in found
    assert places(plant, NAME) != []

    assert erase_now(plant) == 0
    assert search_now(plant) == {}
    # The same worker id at another site is another person.
    assert others(plant) == [(SITE, "W2"), (SITE, "Worker-170"), ("south", WORKER)]
    in_use = {place for place in places(plant, WORKER) if "archive/events/b" not in place}
    assert not any(part in place for place in in_use for part in ("archive", "later", "registry", "runs.db"))
    assert places(plant, NAME) == []


def test_an_id_that_nobody_else_has_is_in_no_byte_of_any_file(filled: Filled) -> None:
    plant = filled()
    erase_now(plant, site="south")
    assert places(plant, WORKER) != []
    assert erase_now(plant) == 0
    assert places(plant, WORKER) == places(plant, NAME) == []
    assert others(plant) == [(SITE, "W2"), (SITE, "Worker-170")]
    assert WORKER not in (plant.settings.data_dir / "privacy" / RECORD).read_text()


def test_rewritten_objects_are_never_landed_again_and_new_data_is(filled: Filled, where: dict[str, str]) -> None:
    plant = filled(where)
    before = plant.raw("landed_objects")
    erase_now(plant)
    assert plant.raw("landed_objects") == before
    report = plant.land(NOW + timedelta(days=1))
    assert (report.objects, report.accepted, report.already_landed) == (1, 1, 0)  # later.jsonl, without the person
    bucket_of(plant).put("events/new.jsonl", lines(event(20)))
    plant.batch()
    assert (SITE, WORKER) in others(plant)


def test_objects_that_stay_in_their_place_stay_landed(filled: Filled, where: dict[str, str]) -> None:
    plant = filled(where, landed_objects="keep")
    landed = len(plant.raw("landed_objects"))
    assert erase_now(plant) == 0
    assert plant.land().objects == 1
    assert plant.land().objects == 0
    assert len(plant.raw("landed_objects")) == landed + 1
    assert [row["worker_id"] for row in plant.raw("events") if row["site_id"] == SITE].count(WORKER) == 0


def test_under_pseudonyms_the_original_id_erases_the_pseudonym(filled: Filled) -> None:
    plant = filled(**PSEUDONYMS)
    tokens = {row["worker_id"] for row in plant.mart("worker_shifts") if row["site_id"] == SITE}
    assert erase_now(plant) == 0
    left = {row["worker_id"] for row in plant.mart("worker_shifts") if row["site_id"] == SITE}
    (token,) = tokens - left
    assert places(plant, token) == []
    with pytest.raises(Exception, match=f"WORKER is '{token}', a pseudonym"):
        erase_now(plant, worker=token)


def test_a_short_id_is_erased_exactly(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.drop("events/a.jsonl", lines(*(event(n, worker) for n, worker in enumerate(["1", "11", "S3", "1"]))))
    plant.batch()
    assert search_now(plant, "1") != {}
    assert erase_now(plant, "1") == 0
    assert others(plant) == [(SITE, "11"), (SITE, "S3")]
    assert erase_now(plant, "S3") == 0  # this is also a workstation, which stays
    assert {row["workstation_id"] for row in plant.mart("workstation_shifts")} == {"S3"}


def test_the_command_searches_first_and_erases_when_confirmed(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = filled()
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    asked = ["erase", "--site", SITE, "--worker", WORKER]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "nothing is changed without CONFIRM=yes" in said
    assert "found      0" not in said
    assert (SITE, WORKER) in others(plant)
    assert main([*asked, "--yes"]) == 0
    assert "found      0\n" in capsys.readouterr().out
    assert main(["erase", "--site", SITE, "--worker", " "]) == 2


def test_an_object_that_cannot_be_read_is_named_and_the_command_does_not_claim_success(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = filled()
    packed = gzip.compress(lines(event(30)))
    plant.drop("events/broken.jsonl.gz", packed[:12] + b"\xff" + packed[13:])  # not torn: a block is damaged
    plant.land()
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    assert main(["erase", "--site", SITE, "--worker", WORKER, "--yes"]) == 3
    assert "archive/events/broken." in capsys.readouterr().out


_BATCH = """
import sys, time
from pathlib import Path
from ingestion.settings import Settings
from ingestion.warehouse import warehouse_lock
with warehouse_lock(Settings(data_dir=Path(sys.argv[1]))):
    print("running", flush=True)
    time.sleep(1)
"""


def test_it_waits_for_the_batch_that_runs_and_not_for_ever_for_the_records_of_dagster(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = filled()
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    monkeypatch.setattr(dagster_records, "BUSY_SECONDS", 0.1)
    command = ["erase", "--site", SITE, "--worker", WORKER, "--yes"]
    batch = subprocess.Popen(
        [sys.executable, "-c", _BATCH, str(plant.settings.data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert batch.stdout is not None
    assert batch.stdout.readline() == "running\n"
    with contextlib.closing(sqlite3.connect(plant.settings.dagster_home / "runs.db", isolation_level=None)) as daemon:
        daemon.execute("begin immediate")
        assert main(command) == 1
    assert batch.wait(timeout=10) == 0
    said = capsys.readouterr()
    assert f"waiting for another batch (process {batch.pid}) to finish" in said.out
    assert "runs.db cannot be searched: database is locked; the erasure is finished by the next batch" in said.err
    assert len(pending_erasures(plant.settings)) == 1
    assert main(command) == 0
    assert pending_erasures(plant.settings) == []


KILLED: dict[str, dict[str, Any]] = {
    "between two objects": {"before": "privacy.bucket_erasure.replace", "at": 2},
    "before the warehouse": {"before": "privacy.erasure.erase_from_warehouse"},
    "before other files": {"before": "privacy.erasure._other_files"},
    "while the marts are made again": {"before": "orchestration.dbt.runner.keep_history"},
    "before older versions go": {"before": "orchestration.deletions.keep_published_version_only"},
    "before the warehouse's file is replaced": {"before": "ingestion.stored_tables._put_in_place"},
    "before the search": {"before": "orchestration.deletions.search_everywhere"},
    "when it is on record": {"after": "orchestration.deletions.record"},
}


def marts_of(plant: Plant) -> dict[str, list[dict[str, Any]]]:
    """The published marts without the etags, because those of objects that stay in place change with their content."""
    return {
        path.stem: [{name: row[name] for name in row if name != "etag"} for row in plant.mart(path.stem)]
        for path in plant.settings.published_path.glob("*.parquet")
    }


def assert_erased(plant: Plant, marts: dict[str, list[dict[str, Any]]]) -> None:
    """Check that nothing of the person or of the erasure's own files is left, and that everything else is there."""
    assert pending_erasures(plant.settings) == []
    assert search_now(plant) == {}
    assert places(plant, NAME) == []
    assert marts_of(plant) == marts
    assert plant.land().objects == 1  # later.jsonl, and no rewritten object
    assert os.listdir(plant.settings.data_dir / "privacy") == [RECORD]


@pytest.fixture(scope="module")
def erased(
    prepared: Callable[[dict[str, str]], Path], tmp_path_factory: pytest.TempPathFactory, killer: Mortal
) -> dict[str, list[dict[str, Any]]]:
    """The marts after an undisturbed erasure."""
    plant = Plant(tmp_path_factory.mktemp("erased") / "plant")
    shutil.copytree(prepared({}), plant.settings.data_dir, symlinks=True)
    assert killer.run(plant, f"erase {SITE} {WORKER}") == 0
    assert others(plant) == [(SITE, "W2"), (SITE, "Worker-170"), ("south", WORKER)]
    return marts_of(plant)


@pytest.mark.slow
@pytest.mark.parametrize("point", KILLED.values(), ids=KILLED)
def test_an_erasure_killed_at_any_point_is_finished_by_the_next_batch(
    filled: Filled, killer: Mortal, erased: dict[str, list[dict[str, Any]]], point: dict[str, Any]
) -> None:
    plant = filled()
    assert killer.run(plant, f"erase {SITE} {WORKER}", **point) == -signal.SIGKILL
    assert len(pending_erasures(plant.settings)) == 1
    with warehouse_lock(plant.settings):
        finish_deletions(plant.settings, print)
    assert_erased(plant, erased)


@pytest.mark.slow
def test_an_erasure_killed_again_and_again_is_finished_by_the_same_command(
    filled: Filled, killer: Mortal, erased: dict[str, list[dict[str, Any]]]
) -> None:
    plant = filled()
    for point in KILLED.values():
        assert killer.run(plant, f"erase {SITE} {WORKER}", **point) == -signal.SIGKILL
    assert len(pending_erasures(plant.settings)) == 1
    assert erase_now(plant) == 0
    assert_erased(plant, erased)


@pytest.mark.slow
def test_where_objects_stay_in_their_place_a_killed_erasure_is_finished_too(
    filled: Filled, killer: Mortal, erased: dict[str, list[dict[str, Any]]]
) -> None:
    plant = filled(landed_objects="keep")
    assert killer.run(plant, f"erase {SITE} {WORKER}", **KILLED["between two objects"]) == -signal.SIGKILL
    with warehouse_lock(plant.settings):
        finish_deletions(plant.settings, print)
    assert_erased(plant, erased)
