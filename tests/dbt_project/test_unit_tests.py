"""dbt's unit tests of the models and dbt's documentation, neither of which a batch runs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from orchestration.dbt.project import PROJECT_DIR, run_dbt
from tests.plant import Plant


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """A plant without events whose models are built: dbt reads the columns of a unit test's inputs from them."""
    plant = Plant(tmp_path_factory.mktemp("plant"))
    plant.batch()
    return plant


def written_down() -> set[str]:
    """The names of the unit tests in the project's files."""
    files = [yaml.safe_load(path.read_text()) for path in (PROJECT_DIR / "models").rglob("*.yml")]
    return {test["name"] for file in files for test in file.get("unit_tests", [])}


def test_every_rule_that_a_unit_test_names_holds(built: Plant) -> None:
    # The models are built with the tests, because some are in memory and gone after each run.
    results: Any = run_dbt(built.settings, ["build", "--exclude", "test_type:data"]).result
    outcomes = {
        one.node.name: (str(one.status), one.message) for one in results if one.node.resource_type == "unit_test"
    }
    assert {name: outcome for name, outcome in outcomes.items() if outcome[0] != "pass"} == {}
    assert outcomes.keys() == written_down()


def test_the_documentation_of_the_models_builds(built: Plant) -> None:
    assert run_dbt(built.settings, ["docs", "generate"]).success
    assert (built.settings.data_dir / "dbt" / "catalog.json").is_file()
