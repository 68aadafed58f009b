from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.dagster_home.lost_runs import START_SECONDS, end_lost_runs, is_lost, mark_running
from orchestration.definitions import build_definitions
from orchestration.resources import settings_resource

HOLDER = """
import sys, time
from pathlib import Path
from orchestration.dagster_home.lost_runs import mark_running
with mark_running(Path(sys.argv[1]), sys.argv[2]):
    print("holding", flush=True)
    time.sleep(60)
"""


def kill_while_running(home: Path, run_id: str) -> None:
    """Kill the process of a run in the middle of the run."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(home), run_id], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    assert not is_lost(home, run_id, seconds_since_start=3600)
    holder.kill()
    holder.communicate()


def start(instance: dg.DagsterInstance) -> str:
    @dg.job
    def batch() -> None: ...

    run = instance.create_run_for_job(batch)
    instance.report_run_canceling(run)
    return run.run_id


def test_a_run_is_lost_when_its_process_was_killed_and_not_before(tmp_path: Path) -> None:
    kill_while_running(tmp_path, "a-run")
    assert is_lost(tmp_path, "a-run", seconds_since_start=1)


def test_a_run_that_still_imports_is_given_time(tmp_path: Path) -> None:
    assert not is_lost(tmp_path, "a-run", seconds_since_start=START_SECONDS - 1)
    assert is_lost(tmp_path, "a-run", seconds_since_start=START_SECONDS + 1)


def test_a_lost_run_is_reported_as_failed_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        killed, living = start(instance), start(instance)
        kill_while_running(tmp_path, killed)
        with mark_running(tmp_path, living):
            assert end_lost_runs(instance, tmp_path) == [killed]
            statuses = {run.run_id: run.status for run in instance.get_runs()}
        assert statuses == {killed: dg.DagsterRunStatus.FAILURE, living: dg.DagsterRunStatus.CANCELING}


def test_a_run_that_marks_itself_twice_lives_until_its_first_mark_ends(tmp_path: Path) -> None:
    with mark_running(tmp_path, "a-run"):
        with mark_running(tmp_path, "a-run"):
            pass
        assert not is_lost(tmp_path, "a-run", seconds_since_start=3600)
    assert is_lost(tmp_path, "a-run", seconds_since_start=3600)


def test_every_job_marks_its_runs_so_that_none_that_lives_is_taken_for_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(tmp_path))
    definitions = build_definitions(site=False)
    for name in ("batch", "verify", "hand_over_request", "retention", "replay_rejects"):
        job = definitions.resolve_job_def(name)
        assert "settings" in job.required_resource_keys, name

    @dg.op(required_resource_keys={"settings"})
    def look(context) -> None:  # type: ignore[no-untyped-def]  # Dagster reads the annotation
        home = context.resources.settings.dagster_home
        (lock,) = (home / "running").iterdir()
        assert not is_lost(home, lock.stem, seconds_since_start=3600)

    @dg.job(resource_defs={"settings": settings_resource})
    def long_training() -> None:
        look()

    with dg.DagsterInstance.ephemeral() as instance:
        assert long_training.execute_in_process(instance=instance).success
    assert list((tmp_path / "dagster/running").iterdir()) == []
