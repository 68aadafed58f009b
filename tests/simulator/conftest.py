"""One small simulated plant for all tests here, because simulating it takes a second."""

from typing import Any

import pytest

from tests.simulator.simulated import Simulated, simulate_plant


@pytest.fixture(scope="session")
def small_plant(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Two sites, six cameras, eighteen workers, and eight days that include the end of summer time in Europe."""
    return simulate_plant(tmp_path_factory.mktemp("small"), cameras=6, workers=18, days=8, seed=7)


@pytest.fixture(scope="session")
def events(small_plant: Simulated) -> list[dict[str, Any]]:
    """Every event of the small plant that the contract accepts, duplicates included."""
    return small_plant.events()
