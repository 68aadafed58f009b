"""Whole days computed by hand: the plant publishes what a person computes on paper."""

from pathlib import Path

import pytest

from tests.plant import Plant
from tests.reference.marts import KEYS, compute_marts
from tests.reference.plant import Registry, Settings
from tests.reference.reading import is_event_object, read_object
from tests.scenarios.scenario import FOLDER, differences, read_scenario, scenario_names


@pytest.mark.parametrize("name", scenario_names())
def test_a_day_worked_out_by_hand_is_published_as_on_paper(name: str, tmp_path: Path) -> None:
    scenario = read_scenario(name)
    plant = Plant(tmp_path, **scenario.settings)
    for key, content in scenario.files.items():
        plant.drop(key, content)
    plant.batch(now=scenario.now, data_tests=True)
    assert [
        difference
        for mart, expected in scenario.marts.items()
        for difference in differences(mart, expected, plant.mart(mart))
    ] == []


@pytest.mark.parametrize("name", scenario_names())
def test_the_reference_reads_the_contract_as_it_was_read_on_paper(name: str) -> None:
    scenario = read_scenario(name)
    readings = {
        key: read_object(key, content, scenario.now) for key, content in scenario.files.items() if is_event_object(key)
    }
    registry = Registry.from_files(
        {key: content.decode() for key, content in scenario.files.items() if key.startswith("registry/")}
    )
    settings = Settings(**{name: value for name, value in scenario.settings.items() if name.endswith("_minutes")})
    accepted = [event for reading in readings.values() for event in reading.events]
    marts = compute_marts(accepted, registry, settings, scenario.now)
    marts["rejected_records"] = [
        {
            "object_key": key,
            "position": each.position,
            "part": each.part,
            "reason": each.reason,
            "payload": each.payload,
        }
        for key, reading in readings.items()
        for each in reading.rejected
    ]
    marts["landed_objects"] = [
        {
            "object_key": key,
            "bytes": len(scenario.files[key]),
            "records": reading.records,
            "accepted": len(reading.accepted),
            "rejected": len(reading.rejected),
            "unexpected_fields": reading.unexpected_fields,
        }
        for key, reading in readings.items()
    ]
    assert {*KEYS, "rejected_records", "landed_objects"} == set(marts)
    assert [
        difference
        for mart, expected in scenario.marts.items()
        for difference in differences(mart, expected, marts[mart])
    ] == []


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_tells_its_story(name: str) -> None:
    assert (FOLDER / name / "README.md").read_text(encoding="utf-8").startswith("# ")
