from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets.models import mart_names, read_manifest
from orchestration.dagster_home.home import prepare_home
from orchestration.definitions import BATCH, build_definitions
from quality.expectations.suites import SUITES
from quality.mart_columns import DESCRIPTIONS
from quality.retraining import tables as model_tables
from tests.plant import Plant

PROJECT = Path(__file__).resolve().parent.parent.parent


def test_dagster_itself_finds_the_definitions_valid(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_home(plant.settings)
    command = ["-m", "dagster", "definitions", "validate", "--module-name", "orchestration.definitions"]
    done = subprocess.run(
        [sys.executable, *command], cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_definitions_loads_nothing_that_only_a_step_needs() -> None:
    heavy = ("great_expectations", "pandas", "dbt.cli.main", "obstore", "reports", "orchestration.commands.run")
    code = f"import sys, orchestration.definitions; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return build_definitions().resolve_asset_graph()


def test_every_raw_source_of_dbt_is_a_table_that_landing_makes(graph: dg.AssetGraph) -> None:
    sources = read_manifest()["sources"].values()
    sources = [dg.AssetKey(["raw", source["name"]]) for source in sources if source["source_name"] == "raw"]
    assert sources
    assert all(graph.get(source).is_materializable for source in sources)


def test_the_site_comes_after_every_mart_and_every_mart_after_landing(graph: dg.AssetGraph) -> None:
    marts = [*mart_names(read_manifest()), *model_tables.TABLES, *DESCRIPTIONS]
    assert set(graph.get(dg.AssetKey("site")).parent_keys) == {dg.AssetKey(["published", mart]) for mart in marts}
    for mart in marts:
        assert graph.get(dg.AssetKey(["published", mart])).parent_keys == {dg.AssetKey(["marts", mart])}
    ancestors = graph.get_ancestor_asset_keys(dg.AssetKey("site"))
    assert dg.AssetKey(["raw", "events"]) in ancestors


def test_every_data_test_and_every_suites_rule_is_a_check(graph: dg.AssetGraph) -> None:
    data_tests = [node["name"] for node in read_manifest()["nodes"].values() if node["resource_type"] == "test"]
    rules = [name for suite in SUITES for name in suite.checks]
    assert sorted(key.name for key in graph.asset_check_keys) == sorted(data_tests + rules)


def test_every_step_that_writes_the_warehouse_is_in_its_pool() -> None:
    job = build_definitions().resolve_job_def(BATCH)
    pools = {node.name: getattr(node.definition, "pool", None) for node in job.nodes}
    assert pools == {
        "landing": "warehouse",
        "models": "warehouse",
        "retraining": "warehouse",
        "judge": "warehouse",
        "publish": "warehouse",
        "site": "warehouse",
        "checks": None,
    }
