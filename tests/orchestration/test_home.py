from __future__ import annotations

import os

import pytest

from orchestration.dagster_home.home import open_instance, prepare_home
from tests.plant import Plant


@pytest.fixture(autouse=True)
def _environment_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", "")
    monkeypatch.setenv("DAGSTER_HOME", "")


def test_dagster_takes_its_configuration_one_warehouse_run_at_a_time_and_calls_nobody(plant: Plant) -> None:
    with open_instance(prepare_home(plant.settings)) as instance:
        pools = instance.get_concurrency_config().pool_config
        assert pools.default_pool_limit == 1
        assert pools.pool_granularity is not None
        assert pools.pool_granularity.value == "run"
        assert not instance.telemetry_enabled
    assert os.environ["DAGSTER_HOME"] == str(plant.settings.dagster_home)


def test_a_configuration_that_someone_changed_is_put_right_at_the_next_start(plant: Plant) -> None:
    home = prepare_home(plant.settings)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: true\n")
    with open_instance(prepare_home(plant.settings)) as instance:
        assert not instance.telemetry_enabled
