"""Records of runs that ended long ago are removed, and their files and disk space are freed."""

import time
from pathlib import Path

import dagster as dg
import pytest

from ingestion.settings import Settings
from orchestration.dagster_home.home import open_instance, prepare_home
from orchestration.dagster_home.old_runs import KEPT_DAYS, remove_old_runs

LATER = KEPT_DAYS * 86_400 + 3600


@dg.op
def talk(context: dg.OpExecutionContext) -> None:
    for number in range(300):
        context.log.info(f"{number} " * 40)


@dg.job
def talking() -> None:
    talk()


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DAGSTER_HOME", "FLOORHOUSE_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    return prepare_home(Settings(data_dir=tmp_path))


def test_old_runs_go_with_their_files_and_room_and_living_ones_stay(home: Path) -> None:
    with open_instance(home) as instance:
        ended = [talking.execute_in_process(instance=instance).run_id for _ in range(4)]
        living = instance.create_run_for_job(talking).run_id
        before = bytes_of(home)
        assert remove_old_runs(instance, home, time.time()) == 0
        assert remove_old_runs(instance, home, time.time() + LATER) == 4
        assert [run.run_id for run in instance.get_runs()] == [living]
    assert not [path for path in (home / "history/runs").iterdir() if path.name.split(".")[0] in ended]
    assert bytes_of(home) < before / 3


def test_no_more_than_so_many_runs_are_kept_however_young_and_the_newest_stay(home: Path) -> None:
    with open_instance(home) as instance:
        ended = [talking.execute_in_process(instance=instance).run_id for _ in range(3)]
        assert remove_old_runs(instance, home, time.time(), kept_runs=1) == 2
        assert [run.run_id for run in instance.get_runs()] == ended[2:]
        assert remove_old_runs(instance, home, time.time(), kept_runs=1) == 0
