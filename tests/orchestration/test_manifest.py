from __future__ import annotations

import shutil
from pathlib import Path

from orchestration.dbt.manifest import load_manifest, manifest_path, project_hash
from orchestration.dbt.project import PROJECT_DIR


def test_the_project_is_parsed_once_for_the_same_content() -> None:
    first = manifest_path()
    written_at = first.stat().st_mtime_ns
    assert manifest_path() == first
    assert first.stat().st_mtime_ns == written_at


def test_dbt_gets_the_same_nodes_as_dagster() -> None:
    assert "model.floorhouse.worker_shifts" in load_manifest().nodes


def test_any_changed_file_of_the_project_is_parsed_again_and_what_dbt_writes_is_not_one(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    before = project_hash(project)
    assert before == project_hash()
    (project / "target").mkdir()
    (project / "target" / "run_results.json").write_text("{}")
    assert project_hash(project) == before
    with open(project / "models" / "marts" / "worker_shifts.sql", "a", encoding="utf-8") as file:
        file.write("-- changed")
    assert project_hash(project) != before
