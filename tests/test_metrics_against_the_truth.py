"""The whole pipeline from simulated cameras to published marts, compared with the truth."""

from datetime import UTC, datetime

import pytest

from simulator import Arguments, Summary, simulate
from simulator.distance_from_truth import Accuracy, measure_accuracy
from tests.plant import Plant


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plant, Summary, Accuracy]:
    plant = Plant(tmp_path_factory.mktemp("simulated"))
    truth = plant.settings.data_dir / "truth"
    arguments = Arguments(landing=plant.landing, truth=truth, cameras=6, workers=16, days=6)
    summary = simulate(arguments)
    plant.batch(now=datetime.fromtimestamp(arguments.ends_ms / 1000, UTC))
    return plant, summary, measure_accuracy(truth, plant.settings.published_path)


def test_every_record_a_camera_sent_is_accounted_for(simulated: tuple[Plant, Summary, Accuracy]) -> None:
    plant, summary, _ = simulated
    landed = plant.mart("landed_objects")
    assert sum(one["records"] for one in landed) == summary.records
    assert sum(one["rejected"] for one in landed) == len(plant.mart("rejected_records"))


def test_utilization_and_units_come_close_to_what_really_happened(simulated: tuple[Plant, Summary, Accuracy]) -> None:
    _, _, accuracy = simulated
    total = accuracy.workers[-1]
    # Missed and false detections of the simulated cameras leave an error; a wrong rule would leave a far larger one.
    assert total.rows > 50
    assert total.utilization_error is not None
    assert total.utilization_error < 0.04
    assert total.units_total_error is not None
    assert abs(total.units_total_error) < 0.12


def test_a_setting_that_cuts_states_short_is_seen_as_error(simulated: tuple[Plant, Summary, Accuracy]) -> None:
    plant, _, accuracy = simulated
    Plant(plant.settings.data_dir, max_state_minutes=1).batch()
    worse = measure_accuracy(plant.settings.data_dir / "truth", plant.settings.published_path)
    assert worse.workers[-1].active_seconds_error > 5 * accuracy.workers[-1].active_seconds_error
