from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from dbt.contracts.graph.manifest import Manifest

from ingestion.settings import Settings
from orchestration.dbt import manifest
from orchestration.dbt.manifest import healed, load_manifest, manifest_path, project_hash
from orchestration.dbt.project import PROJECT_DIR

# The lists of what a batch recomputes, by the scope of a table (dbt_project/macros/scope.sql).
LISTS = {
    "window": "int_affected_windows",
    "shift_date": "int_affected_windows",
    "date": "int_affected_dates",
    "camera_date": "int_affected_camera_dates",
    "object": "int_affected_objects",
    "reading": "int_affected_readings",
    "worker": "int_affected_workers",
    "workstation": "int_affected_workstations",
}


def test_the_project_is_parsed_once_for_the_same_content() -> None:
    first = manifest_path()
    written_at = first.stat().st_mtime_ns
    assert manifest_path() == first
    assert first.stat().st_mtime_ns == written_at


def _cut(folder: Path) -> None:
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes()[:1000])


def _another_objects_bytes(folder: Path) -> None:
    (folder / "manifest.msgpack").write_bytes(b"\x00" * (folder / "manifest.msgpack").stat().st_size)


def _empty_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize("damage", [_cut, _another_objects_bytes, _empty_folder])
def test_a_cache_that_is_not_whole_is_made_again_and_that_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    whole = manifest_path().parent
    healed()  # a cache of an earlier release
    folder = tmp_path / whole.name
    shutil.copytree(whole, folder)
    monkeypatch.setattr(manifest, "TARGET", tmp_path)
    monkeypatch.setattr(manifest, "run_dbt", lambda settings, _: _parsed_before(settings, whole))
    assert load_manifest().nodes
    assert healed() == []
    damage(folder)
    assert "model.floorhouse.worker_shifts" in load_manifest().nodes
    assert healed() == [f"the parsed dbt project in {folder} was not whole and is parsed again"]
    assert manifest_path().read_bytes() == (whole / "manifest.json").read_bytes()
    assert healed() == []
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def _parsed_before(settings: Settings, whole: Path) -> SimpleNamespace:
    """Reuse the result of one parse, because a real parse takes ten seconds."""
    folder = settings.data_dir / "dbt"
    folder.mkdir()
    shutil.copy(whole / "manifest.json", folder)
    return SimpleNamespace(success=True, result=Manifest.from_msgpack((whole / "manifest.msgpack").read_bytes()))


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


def test_the_lineage_shows_the_list_of_every_scope() -> None:
    nodes = json.loads(manifest_path().read_bytes())["nodes"].values()
    models = {node["name"]: node for node in nodes if node["resource_type"] == "model"}
    read = {name: {one.rpartition(".")[2] for one in node["depends_on"]["nodes"]} for name, node in models.items()}
    metas = {name: node["config"]["meta"] for name, node in models.items()}
    needed = {
        name: {LISTS[scope] for scope in (meta["scope"], *(meta.get("names") or []))}
        for name, meta in metas.items()
        if meta.get("scope", "whole") != "whole"
    }

    assert len(needed) > 20
    assert {name: lists - read[name] for name, lists in needed.items() if lists - read[name]} == {}
    # Every list has a model that depends on it.
    assert {name for name in models if name.startswith("int_affected_")} <= set().union(*read.values())


def test_a_data_test_of_a_scoped_table_says_so_where_it_is_declared_and_has_its_list_as_an_edge() -> None:
    nodes = json.loads(manifest_path().read_bytes())["nodes"].values()
    tests = [(node, node["test_metadata"]["kwargs"]) for node in nodes if node.get("test_metadata")]
    scoped = [(node, arguments["scope"]) for node, arguments in tests if "scope" in arguments]

    assert len(scoped) > 10
    for node, scope in scoped:
        assert f"model.floorhouse.{LISTS[scope]}" in node["depends_on"]["nodes"], node["name"]
