"""A backup contains the plant's whole state. A restore gives the same plant, including what was archived since."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from backup.contents import BUCKET, COPIED, FILES, KEYS, LEFT_OUT, TABLE_OF_CONTENTS, WAREHOUSE
from backup.restore import RestoreReport, restore_backup
from backup.take import take_backup
from ingestion.bucket import open_landing_bucket
from ingestion.errors import BackupError, WarehouseLostError
from ingestion.landing.continuity import require_whole_warehouse
from ingestion.warehouse import warehouse_lock
from privacy.inventory import PLACES
from tests.plant import EVENT, NOW, Plant

LATER = NOW + timedelta(days=1)


def event(minute: int, **fields: object) -> str:
    return json.dumps({**EVENT, "timestamp": f"2026-01-15T10:{minute:02d}:00Z", **fields}) + "\n"


def plant_in(folder: Path, bucket: Path, **settings: object) -> Plant:
    """A plant whose bucket is in a separate folder, as on another machine."""
    plant = Plant(folder, landing_url=bucket.as_uri(), registry_still_seconds=0, **settings)
    plant.landing = bucket
    return plant


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A plant that has landed two objects and a registry."""
    plant = plant_in(tmp_path / "plant", tmp_path / "bucket")
    plant.drop("registry/workers.csv", "site_id,worker_id,name\nA,W1,First\n")
    plant.drop("events/a.jsonl", event(1, site_id="A") + "no JSON\n")
    plant.drop("events/b.jsonl", event(2, site_id="A"))
    plant.land()
    return plant


def taken(plant: Plant, folder: Path, now: datetime = NOW, **options: object) -> Path:
    return take_backup(plant.settings, folder, now, print, **options).folder  # type: ignore[arg-type]


def restored(plant: Plant, folder: Path, now: datetime = LATER) -> RestoreReport:
    return restore_backup(plant.settings, folder, now, print)


def rows_of(plant: Plant) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("set timezone = 'UTC'")
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        return {name: sorted(map(str, connection.execute(f"from {name}").fetchall())) for (name,) in names}


@pytest.mark.timeout(600)
def test_a_restored_plant_has_the_same_marts_and_lands_only_what_is_new(plant: Plant, tmp_path: Path) -> None:
    folder = taken(plant, tmp_path / "backups")
    before = rows_of(plant)
    again = plant_in(tmp_path / "again", plant.landing)
    assert restored(again, folder) == RestoreReport(2, 0, 0)
    assert rows_of(again) == before
    # The plant continues after its backup. Then its machine burns, and only the bucket survives.
    plant.drop("events/c.jsonl", event(3, site_id="A") + event(4, site_id="A"))
    plant.land(LATER)
    plant.drop("events/d.jsonl", event(5, site_id="A"))
    third = plant_in(tmp_path / "third", plant.landing)
    assert restored(third, folder) == RestoreReport(2, 1, 2)
    require_whole_warehouse(third.settings, open_landing_bucket(third.settings))
    assert third.land(LATER).objects == 1  # d; nothing lands twice
    third.batch(LATER)
    plant.drop("events/d.jsonl", event(5, site_id="A"))
    plant.batch(LATER)
    for mart in ("worker_shifts", "state_intervals", "site_shifts", "rejected_records"):
        rows = [{key: value for key, value in row.items() if not key.endswith("_at")} for row in third.mart(mart)]
        assert rows == [
            {key: value for key, value in row.items() if not key.endswith("_at")} for row in plant.mart(mart)
        ], mart
    assert third.mart("worker_shifts")


def test_every_place_of_the_data_folder_is_copied_or_left_out_for_a_reason() -> None:
    known = {*COPIED, *LEFT_OUT, WAREHOUSE, "privacy/erasures.log", "privacy/*.pending"}
    assert {pattern for place in PLACES for pattern in place.patterns} - known == set()
    assert all(LEFT_OUT.values())


def test_outboxes_journals_and_records_come_back_and_what_a_batch_makes_does_not(plant: Plant, tmp_path: Path) -> None:
    data = plant.settings.data_dir
    for name in ("alerts/a-opened.json", "outbox/review/a.jsonl", "privacy/x.pending", "site/index.html"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    (data / "dagster/history").mkdir(parents=True)
    (data / "dagster/running.lock").write_text("12")
    with closing(sqlite3.connect(data / "dagster/history/runs.db")) as records:
        records.execute("pragma journal_mode = wal")
        records.execute("create table runs (id text)")
        records.execute("insert into runs values ('first')")
        records.commit()
        folder = taken(plant, tmp_path / "backups")  # while the daemon has its records open
    again = plant_in(tmp_path / "again", plant.landing)
    restored(again, folder)
    found = {path.relative_to(again.settings.data_dir).as_posix() for path in again.settings.data_dir.rglob("*.*")}
    assert {"alerts/a-opened.json", "outbox/review/a.jsonl", "privacy/x.pending", "dagster/history/runs.db"} <= found
    assert not {"site/index.html", "dagster/running.lock"} & found
    with closing(sqlite3.connect(again.settings.data_dir / "dagster/history/runs.db")) as records:
        assert records.execute("select id from runs").fetchall() == [("first",)]


def test_a_registry_that_the_bucket_has_lost_comes_back_and_one_that_it_has_stays(plant: Plant, tmp_path: Path) -> None:
    plant.drop("registry/sites.csv", "site_id,timezone\nA,UTC\n")
    folder = taken(plant, tmp_path / "backups")
    (plant.landing / "registry/workers.csv").unlink()
    changed = plant.drop("registry/sites.csv", "site_id,timezone\nA,Europe/Berlin\n")
    restored(plant_in(tmp_path / "again", plant.landing), folder)
    assert "First" in (plant.landing / "registry/workers.csv").read_text()
    assert "Berlin" in changed.read_text()


def test_with_the_bucket_a_plant_comes_back_whose_bucket_burnt_too(plant: Plant, tmp_path: Path) -> None:
    plant.drop("events/waiting.jsonl", event(9, site_id="A"))
    folder = taken(plant, tmp_path / "backups", with_bucket=True)
    assert not (taken(plant, tmp_path / "others") / BUCKET).exists()
    again = plant_in(tmp_path / "again", tmp_path / "new-bucket")
    assert restored(again, folder).objects_since == 0
    assert again.land(LATER).objects == 1
    archived = sorted(path.name for path in (plant.landing / "archive/events").iterdir())
    assert sorted(path.name for path in (again.landing / "archive/events").iterdir())[: len(archived)] == archived


def test_keys_are_named_and_copied_only_when_asked_for_and_another_key_restores_nothing(tmp_path: Path) -> None:
    identity = {"worker_identity": "pseudonym", "pseudonym_key": "n0t the deMo's key, but a l0ng one 7q"}
    plant = plant_in(tmp_path / "plant", tmp_path / "bucket", **identity)
    plant.drop("events/a.jsonl", event(1, site_id="A"))
    plant.land()
    folder = taken(plant, tmp_path / "backups")
    assert json.loads((folder / TABLE_OF_CONTENTS).read_text())["needs"] == ["FLOORHOUSE_PSEUDONYM_KEY"]
    secret = identity["pseudonym_key"].encode()
    assert not [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]
    with_keys = taken(plant, tmp_path / "others", with_keys=True)
    assert (with_keys / KEYS).stat().st_mode & 0o777 == 0o600
    assert identity["pseudonym_key"] in (with_keys / KEYS).read_text()
    # An object that was archived after the backup is landed at once, under the key in force.
    plant.drop("events/b.jsonl", event(2, site_id="A"))
    plant.land(LATER)
    other = plant_in(
        tmp_path / "again",
        plant.landing,
        worker_identity="pseudonym",
        pseudonym_key="a d1fferent K3y, as long 0ne XwQ7",
    )
    with pytest.raises(Exception, match=r"(?i)key"):
        restored(other, folder)
    assert not other.settings.warehouse_path.exists()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from importlib import import_module
from ingestion.settings import Settings
module, name, call, data, bucket, folder = sys.argv[1:]
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(import_module(module), name, die)
settings = Settings(data_dir=Path(data), landing_url=bucket, registry_still_seconds=0)
import_module(module).__dict__[call](settings, Path(folder), datetime(2026, 3, 1, tzinfo=UTC), print)
"""


def killed(module: str, name: str, call: str, plant: Plant, folder: Path) -> None:
    arguments = [module, name, call, str(plant.settings.data_dir), plant.settings.landing_url, str(folder)]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, timeout=120, env=os.environ)
    assert ended.returncode == -signal.SIGKILL


def test_a_killed_backup_is_none_and_the_next_one_takes_its_remains_away(plant: Plant, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    killed("backup.take", "put_in_place", "take_backup", plant, folder)
    (remains,) = folder.iterdir()
    assert remains.name.startswith(".")
    whole = taken(plant, folder)
    assert list(folder.iterdir()) == [whole]


@pytest.mark.parametrize("name", ["land_unknown", "put_in_place"])
def test_a_killed_restore_leaves_no_warehouse_no_batch_goes_on_and_the_same_command_ends_it(
    plant: Plant, tmp_path: Path, name: str
) -> None:
    folder = taken(plant, tmp_path / "backups")
    plant.drop("events/c.jsonl", event(3, site_id="A"))
    plant.land(LATER)
    again = plant_in(tmp_path / "again", plant.landing)
    killed("backup.restore", name, "restore_backup", again, folder)
    assert not again.settings.warehouse_path.exists()
    with pytest.raises(WarehouseLostError, match="is missing or empty"):
        require_whole_warehouse(again.settings, open_landing_bucket(again.settings))
    assert restored(again, folder) == RestoreReport(2, 1, 1)
    assert len(again.raw("landed_objects")) == 3


def test_what_cannot_be_a_backup_is_refused_in_one_sentence(plant: Plant, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"no warehouse in .* nothing to back up"):
        taken(plant_in(tmp_path / "empty", tmp_path / "none"), tmp_path / "backups")
    with pytest.raises(BackupError, match="belongs on another disk"):
        taken(plant, plant.settings.data_dir / "backups")
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupError, match=r"cannot be written .* nothing is left"):
        taken(plant, tmp_path / "file/backups")
    again = plant_in(tmp_path / "again", plant.landing)
    with pytest.raises(BackupError, match="no finished backup"):
        restored(again, tmp_path)
    folder = taken(plant, tmp_path / "backups")
    table = json.loads((folder / TABLE_OF_CONTENTS).read_text())
    (folder / TABLE_OF_CONTENTS).write_text(json.dumps({**table, "schema_version": table["schema_version"] + 1}))
    with pytest.raises(BackupError, match="newer release"):
        restored(again, folder)


@pytest.mark.parametrize("change", ["changed", "removed"])
def test_a_backup_that_is_not_whole_restores_nothing_and_names_the_file(
    plant: Plant, tmp_path: Path, change: str
) -> None:
    folder = taken(plant, tmp_path / "backups")
    damaged = folder / WAREHOUSE
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content) if change == "changed" else damaged.unlink()
    again = plant_in(tmp_path / "again", plant.landing)
    with pytest.raises(BackupError, match=f"not whole: {WAREHOUSE}"):
        restored(again, folder)
    assert not again.settings.data_dir.exists()


def test_a_plant_is_never_restored_over_another_one(plant: Plant, tmp_path: Path) -> None:
    folder = taken(plant, tmp_path / "backups")
    before = plant.settings.warehouse_path.read_bytes()
    with pytest.raises(BackupError, match="There is a warehouse"):
        restored(plant, folder)
    assert plant.settings.warehouse_path.read_bytes() == before


def test_only_the_newest_backups_are_kept_and_a_batch_waits_for_none_of_them(plant: Plant, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    names = [taken(plant, folder, NOW + timedelta(days=day), keep=2).name for day in range(4)]
    assert sorted(path.name for path in folder.iterdir()) == names[2:]
    with warehouse_lock(plant.settings, wait_seconds=0):
        pass
    assert (folder / names[3]).stat().st_mode & 0o007 == 0
    assert not (folder / names[3] / FILES / "warehouse.lock").exists()


def test_a_restore_says_what_the_backup_lacks_and_which_settings_differ(
    plant: Plant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = taken(plant, tmp_path / "backups", datetime(2026, 3, 1, 7, 30, tzinfo=UTC))
    restored(plant_in(tmp_path / "again", plant.landing, last_event_minutes=10), folder)
    told = capsys.readouterr().out
    assert "taken at 2026-03-01 07:30:00 UTC, 2 objects" in told
    assert "erasures requested since then are not in it" in told
    assert "FLOORHOUSE_LAST_EVENT_MINUTES was 30 and is 10 here" in told
