"""Batches and erasures that are killed at a given point: one process imports everything and forks one for each.

A fork kills itself (SIGKILL) just before or after the n-th call of a function, or at an event of dbt. To die inside
DuckDB's own writing, it limits the size of its files from that point on, and the system ends it (SIGXFSZ). The models'
data tests, which only read, are left out: they take half of a small batch's time.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestration.dbt import overhead, runner
from tests.mortal import ForkingProcess
from tests.plant import NOW, WITHOUT_DATA_TESTS, Plant

SECONDS = 120  # for one run; one that does not die must not hang either


class Mortal(ForkingProcess):
    """The process that forks; the end of the `with` block ends it."""

    def __init__(self) -> None:
        super().__init__("tests.orchestration.mortal")

    def run(self, plant: Plant, action: str = "batch", shell: Path | None = None, **point: Any) -> int:
        """Run an action in a separate process. Returns its exit code (below 0: the signal).

        A point is `before` or `after` (a function by its full name as its caller knows it; `at`: at which call), or
        `node` with `event` (one of dbt's; `sql`: how the statement begins). `file_bytes`: the size at which writing
        stops, instead of dying at once. Without a point the process does not die.
        """
        settings = plant.settings.model_dump(mode="json", exclude_defaults=True)
        order = {"settings": settings, "action": action, "shell": str(shell or ""), "point": point}
        return int(self.order(order))


def batch(plant: Plant, shell: Path | None, watch: Callable[[Any], None] | None = None) -> None:
    """Run the steps of the batch job, in its order, in this process."""
    from ingestion.landing.batch import land
    from ingestion.warehouse import open_warehouse, warehouse_lock
    from orchestration import deletions, publish
    from orchestration.dbt import runner
    from quality import judge, report
    from quality.retraining import step
    from reports import site

    settings = plant.settings
    with warehouse_lock(settings):
        deletions.finish_deletions(settings, print)
        land(settings, NOW)
        runner.build_models(settings, watch)
        with open_warehouse(settings) as connection:
            verdict = judge.judge(connection, settings, NOW)
        report.write_report(settings.quality_path, verdict, settings.confidence_floor)
        step.operate_models(settings, NOW)
        publish.publish_build(settings)
        if shell:
            site.publish_site(settings, shell)


def _show(plant: Plant, shell: Path) -> None:
    """Publish the site, the last step of a batch."""
    from ingestion.warehouse import warehouse_lock
    from orchestration import publish
    from reports import site

    with warehouse_lock(plant.settings):
        publish.publish_build(plant.settings)
        site.publish_site(plant.settings, shell)


def _erase(plant: Plant, site_id: str, worker_id: str) -> None:
    from ingestion.warehouse import warehouse_lock
    from orchestration import deletions

    with warehouse_lock(plant.settings):
        deletions.erase_worker(plant.settings, site_id, worker_id)


def _retain(plant: Plant) -> None:
    from ingestion.warehouse import warehouse_lock
    from orchestration import deletions

    with warehouse_lock(plant.settings):
        deletions.retain(plant.settings, NOW, print)


def _serve() -> None:
    _import_everything()
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the actions' prints are not part of the answer
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _die_or_do(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=told, flush=True)


def _import_everything() -> None:
    """Import everything before the first fork, because imports take seconds.

    Nothing may open DuckDB here: a fork does not copy its threads.
    """
    from dbt.adapters.duckdb import connections  # noqa: F401
    from dbt.cli import main  # noqa: F401

    from orchestration.dbt.manifest import load_manifest

    setattr(runner, "BUILD", WITHOUT_DATA_TESTS)  # noqa: B010
    for module in (
        "great_expectations",
        "quality.expectations.frames",
        "quality.expectations.validate",
        "quality.expectations.data_docs",
        "obstore",
    ):
        importlib.import_module(module)
    load_manifest()


def _die_or_do(order: dict[str, Any]) -> None:
    status = 1
    try:
        signal.alarm(SECONDS)
        point = order["point"]
        for when in ("before", "after"):
            if when in point:
                _die_at(point[when], when, point.get("at", 1), point.get("file_bytes", 0))
        settings = order["settings"]
        plant = Plant(Path(settings.pop("data_dir")), **settings)
        action, *names = order["action"].split()
        shell = Path(order["shell"]) if order["shell"] else None
        if action == "batch":
            batch(plant, shell, _watch(point))
        elif action == "show":
            assert shell is not None
            _show(plant, shell)
        elif action == "retain":
            _retain(plant)
        else:
            _erase(plant, *names)
        status = 0
    except Exception:  # noqa: BLE001  # shown by the test that fails
        traceback.print_exc()
    finally:
        os._exit(status)


def _die(file_bytes: int = 0) -> None:
    if not file_bytes:
        os.kill(os.getpid(), signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def _die_at(name: str, when: str, at: int, file_bytes: int) -> None:
    module_name, _, function = name.rpartition(".")
    module = importlib.import_module(module_name)
    original, calls = getattr(module, function), 0

    def mortal_function(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at and when == "before":
            _die(file_bytes)
        result = original(*arguments, **named)
        if calls == at and when == "after":
            _die(file_bytes)
        return result

    setattr(module, function, mortal_function)


def _watch(point: dict[str, Any]) -> Callable[[Any], None] | None:
    """The callback that dies at an event of dbt."""
    if "node" not in point:
        return None
    setattr(overhead, "TAKEN_EVENTS", overhead.TAKEN_EVENTS | {point["event"]})  # noqa: B010  # before dbt is set up

    def watch(event: Any) -> None:
        if event.info.name != point["event"] or event.data.node_info.node_name != point["node"]:
            return
        statement = getattr(event.data, "sql", "").partition("*/")[2]  # after dbt's own comment
        if "sql" not in point or statement.split()[: len(point["sql"].split())] == point["sql"].split():
            _die()

    return watch


if __name__ == "__main__":
    _serve()
