"""Writes and reads the files of judging: the suites' results for Dagster, and Data Docs for the site."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.durable import write_whole
from quality.checks.results import CheckResult

if TYPE_CHECKING:
    from quality.judge import Verdict

RESULTS_NAME = "suites.json"
DOCS_FOLDER = "docs"


def write_report(folder: Path, verdict: Verdict, confidence_floor: float) -> None:
    """Write the results and the Data Docs. Pages with unchanged results are not rewritten."""
    from quality.expectations.data_docs import write_docs
    from quality.judge import worst_by_name

    folder.mkdir(parents=True, exist_ok=True)
    results = [dataclasses.asdict(result) for _, of_suite in verdict.suites for result in worst_by_name(of_suite)]
    content = {"confidence_floor": confidence_floor, "results": results}
    write_whole(folder / RESULTS_NAME, json.dumps(content))
    if verdict.validated:
        write_docs(folder / DOCS_FOLDER, verdict.validated)


def read_results(folder: Path) -> dict[str, CheckResult]:
    """The suites' results of the newest batch by check; empty if there are none."""
    return {row["name"]: CheckResult(**row) for row in _read(folder).get("results", [])}


def is_judged_by(folder: Path, confidence_floor: float) -> bool:
    """Whether the newest batch was judged with this confidence floor. The floor changes no figure, only the verdict."""
    return bool(_read(folder).get("confidence_floor") == confidence_floor)


def _read(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / RESULTS_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content
