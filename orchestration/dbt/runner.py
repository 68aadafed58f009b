"""Builds the models: what changed since the last finished build, or everything. Does not know what they compute."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from ingestion.errors import TransformError
from ingestion.memory import MEGABYTE, MOST, database_memory
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from orchestration.dbt.build_state import begin_build, begin_part, finish_build
from orchestration.dbt.manifest import healed, load_manifest, project_hash
from orchestration.dbt.project import run_dbt
from orchestration.dbt.repeating import repeating
from privacy.retention import keep_history

# Unit tests check the models' rules before a release. In a plant they would only test the same invented rows again.
BUILD = ("build", "--exclude-resource-type", "unit_test")
_NO_DATA_TESTS = ("--exclude-resource-type", "test")

# Staging views are not built again: they change only with the models, and changed models cause a rebuild.
_STANDING = ("path:models/staging",)

# Small tables made from the whole history of other tables. A rebuild in parts computes them in its last part.
_WHOLE = "tag:whole"

# Tables that live in memory for one run (dbt_project/profiles.yml).
_SCRATCH = "config.database:scratch"

# Models that read whole histories. They run once more if `keep_history` changed a history.
_OF_HISTORY = (
    "--select",
    "int_review_sightings+,config.materialized:replaced",
    "int_model_spans+,config.materialized:replaced",
    "sites",
    "label_estimates",
)


@dataclass(frozen=True, slots=True)
class TransformReport:
    """The result of one dbt build. `warned` names the data tests that failed with severity warn."""

    models: int
    tests: int
    warned: tuple[str, ...]
    seconds: float
    slowest: tuple[tuple[str, float], ...]  # models or tests, and seconds of each


def build_models(
    settings: Settings,
    on_event: Callable[[Any], None] | None = None,
    select: str | None = None,
    log: Callable[[str], None] = lambda _: None,
    data_tests: bool = True,
) -> TransformReport:
    """Compute what changed since the last finished build, or everything, and run the data tests on it.

    The caller holds the warehouse's lock. `on_event` receives each of dbt's events (`EventMsg`) as it happens, once for
    each part of a rebuild. `log` receives the reason if everything is computed, and how much a changed registry caused
    to be computed again. `select` is dbt's selection syntax: a build of some models leaves the marts unfinished, and
    the next whole build finishes them. Without `data_tests` a build takes three quarters of the time and checks no rule
    of the marts.

    Raises:
        TransformError: a model or a test of severity error failed; names the first one.
    """
    started = time.monotonic()
    plan = begin_build(settings)
    for sentence in healed():
        log(sentence)
    if (memory := database_memory()) < MOST:
        log(f"the database may use {memory // MEGABYTE:,} MB of memory here, and spills to the disk what needs more")
    if plan.reason:
        log(f"everything is computed{' again' * plan.is_again}: {plan.reason}")
    nodes: dict[str, Any] = {}
    warned: set[str] = set()
    took: dict[str, float] = defaultdict(float)
    for number, part in enumerate(plan.parts):
        arguments = [
            *BUILD,
            *([] if data_tests else _NO_DATA_TESTS),
            *(["--select", *_selected(select)] if select else []),
        ]
        if plan.reason:
            begin_part(settings, part, is_first=number == 0)
            arguments += ["--full-refresh"] if number == 0 else ["--exclude", "tag:calendar", *_STANDING]
            arguments += ["--exclude", _WHOLE] if number + 1 < len(plan.parts) else []
        elif not select:
            arguments += ["--exclude", *_STANDING]
        if len(plan.parts) > 1:
            log(f"part {number + 1} of {len(plan.parts)}, shift dates from {part.first_date}")
        for row in _run_build(settings, arguments, on_event, is_incremental=not plan.reason):
            nodes[row.node.unique_id] = row.node
            took[row.node.name] += row.execution_time
            warned |= {row.node.name} if row.status == "warn" else set()
    if not select:
        with open_warehouse(settings) as connection:
            kept = keep_history(connection)  # the models do not know which rows retention froze or removed
        if kept.is_changed:
            _run_build(settings, [*BUILD, *_NO_DATA_TESTS, *_OF_HISTORY], None)
        for sentence in finish_build(settings):
            log(sentence)
    is_test = [node.resource_type == "test" for node in nodes.values()]
    return TransformReport(
        models=len(nodes) - sum(is_test),
        tests=sum(is_test),
        warned=tuple(sorted(warned)),
        seconds=time.monotonic() - started,
        slowest=tuple(sorted(took.items(), key=itemgetter(1), reverse=True)[:5]),
    )


def _selected(select: str) -> Sequence[str]:
    """A selection, extended by the tables in memory that its models read, which no earlier run has left."""
    names = select.split()
    return [*names, *(f"+{name},{_SCRATCH}" for name in names)]


def _run_build(
    settings: Settings,
    arguments: Sequence[str],
    on_event: Callable[[Any], None] | None,
    is_incremental: bool = False,
) -> list[Any]:
    """The results of one dbt build."""
    with repeating((project_hash(), *arguments)) if is_incremental else nullcontext():
        result = run_dbt(settings, [*arguments, "--no-write-json"], on_event, load_manifest())
    rows: list[Any] = getattr(result.result, "results", [])
    failed = [row for row in rows if row.status in ("error", "fail")]
    if failed:
        message = " ".join(str(_broken_rules(settings, failed[0].node) or failed[0].message).split())
        raise TransformError(f"{failed[0].node.resource_type} {failed[0].node.name} failed: {message[:500]}")
    if not result.success:
        raise TransformError(f"dbt stopped: {' '.join(str(result.exception).split())[:500]}")
    return rows


def _broken_rules(settings: Settings, node: Any) -> str | None:
    """The rules of a table that its rows break (data_tests/generic/rules_hold.sql); None for any other node."""
    if "broken_rule" not in (getattr(node, "compiled_code", None) or ""):
        return None
    with open_warehouse(settings) as connection:
        rows = connection.execute(
            f"select broken_rule, count(*) from ({node.compiled_code}) group by broken_rule order by broken_rule"
        ).fetchall()
    return "; ".join(f"{count:,} rows break the rule: {rule}" for rule, count in rows) or None
