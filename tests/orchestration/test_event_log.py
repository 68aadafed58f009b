from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    EventRecordsFilter,
    JobDefinition,
    MaterializeResult,
    asset_check,
    define_asset_job,
    job,
    multi_asset,
    op,
)
from dagster import AssetSpec as Spec
from sqlalchemy import Engine, event

from ingestion.settings import Settings
from orchestration.dagster_home.event_log import EventLog
from orchestration.dagster_home.home import open_instance, prepare_home


@op
def _step() -> None: ...


@job
def _one_step() -> None:
    _step()


_MARTS = [f"mart_{number:02}" for number in range(20)]


def _batch() -> JobDefinition:
    """A job that makes many assets and checks one, as a batch does."""

    @multi_asset(specs=[Spec(name) for name in _MARTS])
    def marts() -> Iterator[MaterializeResult[None]]:
        for name in _MARTS:
            yield MaterializeResult(asset_key=name, metadata={"rows": 1})

    @asset_check(asset=_MARTS[0])
    def is_whole() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    definitions = Definitions(assets=[marts], asset_checks=[is_whole], jobs=[define_asset_job("batch")])
    return definitions.resolve_job_def("batch")


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


def test_events_that_belong_together_are_one_transaction_and_read_by_dagsters_own_storage(tmp_path: Path) -> None:
    home, commits = _home(tmp_path), []

    def note(connection: Any) -> None:
        commits.append(connection.engine.url.database)

    with open_instance(home) as instance:
        event.listen(Engine, "commit", note)
        run_id = _batch().execute_in_process(instance=instance).run_id
        event.remove(Engine, "commit", note)
        stored = len(instance.all_logs(run_id))
    of_the_log = [path for path in commits if "/history/runs/" in str(path)]
    # One commit for each event and one more in the index for each mart. The marts' planned events share two commits.
    assert len(of_the_log) <= stored + len(_MARTS)
    (home / "dagster.yaml").unlink()
    with DagsterInstance.from_config(str(home)) as plain:
        events = [one.dagster_event_type for one in plain.all_logs(run_id) if one.is_dagster_event]
        assert events.count(DagsterEventType.ASSET_MATERIALIZATION_PLANNED) == len(_MARTS)
        assert events.count(DagsterEventType.ASSET_MATERIALIZATION) == len(_MARTS)
        for name in _MARTS:
            newest = plain.get_latest_materialization_event(AssetKey(name))
            assert newest is not None
            assert newest.run_id == run_id
        key = AssetCheckKey(AssetKey(_MARTS[0]), "is_whole")
        record = plain.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        assert record.run_id == run_id
        assert record.event is not None


def test_of_events_that_cannot_all_be_stored_none_is(tmp_path: Path) -> None:
    with open_instance(_home(tmp_path)) as instance:
        log = instance.event_log_storage
        run_id = _batch().execute_in_process(instance=instance).run_id
        before = instance.all_logs(run_id)
        planned = [one for one in before if one.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION_PLANNED]
        assert planned[1].dagster_event is not None
        broken = planned[1]._replace(dagster_event=planned[1].dagster_event._replace(event_specific_data=None))
        with pytest.raises(Exception, match="asset"):
            log.store_event_batch([planned[0], broken])
        assert len(instance.all_logs(run_id)) == len(before)
        log.store_event(planned[0])  # and the log goes on
        assert len(instance.all_logs(run_id)) == len(before) + 1
