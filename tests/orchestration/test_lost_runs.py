from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import dagster as dg

from orchestration.dagster_home.lost_runs import START_SECONDS, end_lost_runs, is_lost, mark_running, remove_old_runs

HOLDER = """
import sys, time
from pathlib import Path
from orchestration.dagster_home.lost_runs import mark_running
with mark_running(Path(sys.argv[1]), sys.argv[2]):
    print("holding", flush=True)
    time.sleep(60)
"""


def kill_while_running(home: Path, run_id: str) -> None:
    """A run's process that is killed in the middle."""
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


def test_records_of_ended_runs_are_removed_when_they_are_old_and_those_of_living_runs_never() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ended, living = start(instance), start(instance)
        run = instance.get_run_by_id(ended)
        assert run is not None
        instance.report_run_failed(run)
        assert remove_old_runs(instance, before=time.time() - 3600) == 0
        assert remove_old_runs(instance, before=time.time() + 3600) == 1
        assert [run.run_id for run in instance.get_runs()] == [living]
