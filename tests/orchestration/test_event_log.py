from __future__ import annotations

from pathlib import Path
from typing import Any

from dagster import DagsterEventType, DagsterInstance, EventRecordsFilter, job, op
from sqlalchemy import Engine, event

from ingestion.settings import Settings
from orchestration.dagster_home.event_log import EventLog
from orchestration.dagster_home.home import open_instance, prepare_home


@op
def _step() -> None: ...


@job
def _one_step() -> None:
    _step()


def _home(folder: Path) -> Path:
    return prepare_home(Settings(data_dir=folder / "data", landing_url=f"file://{folder}/landing"))


def test_a_run_is_recorded_over_few_connections_and_read_by_dagsters_own_storage(tmp_path: Path) -> None:
    home, opened = _home(tmp_path), []

    def note(connection: Any, _: Any) -> None:
        opened.append(connection.execute("pragma database_list").fetchone()[2])

    event.listen(Engine, "connect", note)
    with open_instance(home) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        _one_step.execute_in_process(instance=instance)  # creates the files
        opened.clear()
        run_id = _one_step.execute_in_process(instance=instance).run_id
        assert len(instance.all_logs(run_id)) >= 10
    event.remove(Engine, "connect", note)
    logs = [Path(path).stem for path in opened if "/history/runs/" in path]
    assert set(logs) == {run_id}  # the index is open since before
    assert len(logs) <= 2  # Dagster creates a file over two
    (home / "dagster.yaml").unlink()
    with DagsterInstance.from_config(str(home)) as plain:
        assert not isinstance(plain.event_log_storage, EventLog)
        assert DagsterEventType.RUN_SUCCESS in [
            one.dagster_event_type for one in plain.all_logs(run_id) if one.is_dagster_event
        ]
        ended = plain.get_event_records(EventRecordsFilter(DagsterEventType.RUN_SUCCESS))
        assert run_id in {one.event_log_entry.run_id for one in ended}


def test_the_files_of_many_runs_are_not_all_held_open(tmp_path: Path) -> None:
    home = _home(tmp_path)
    with open_instance(home) as instance:
        for _ in range(14):
            _one_step.execute_in_process(instance=instance)
        folder = str(home / "history/runs")
        held = {
            target
            for one in Path("/proc/self/fd").iterdir()
            if (target := _target(one)).startswith(folder) and target.endswith(".db")
        }
        assert 0 < len(held) <= 12


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def test_a_data_folder_with_odd_characters_keeps_its_records(tmp_path: Path) -> None:
    home = _home(tmp_path / 'a: "plant" #1')
    with open_instance(home) as instance:
        _one_step.execute_in_process(instance=instance)
    assert list((home / "history/runs").glob("*-*.db"))
