"""Batches and checks with registries that were cut while they were written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingestion.warehouse import open_warehouse
from orchestration.dbt.build_state import is_current
from quality.incidents import registries
from quality.judge import judge
from tests.plant import NOW, Plant

pytestmark = pytest.mark.usefixtures("_without_data_tests")

SITES = "site_id,name,timezone\ndefault,Plant,Europe/Berlin\n"
SHIFTS = "site_id,shift_id,start_local,duration_minutes\n*,day,06:00,480\n*,evening,14:00,480\n*,night,22:00,480\n"
WORKERS = "site_id,worker_id,name\n" + "".join(f"default,W{n},Worker {n}\n" for n in range(1, 41))
EVENT = (
    '{"timestamp":"2026-02-23T%02d:00:00Z","worker_id":"%s","workstation_id":"S1",'
    '"event_type":"working","confidence":1}\n'
)


def drop(plant: Plant, sites: str, shifts: str, workers: str) -> None:
    for name, content in (("sites", sites), ("shifts", shifts), ("workers", workers)):
        plant.drop(f"registry/{name}.csv", content)


def judged(plant: Plant, hours: int) -> dict[str, tuple[str, str, str]]:
    """Id, status and sentence of the incidents about registries, by metric, after a landing and its checks."""
    now = NOW + timedelta(hours=hours)
    plant.land(now)
    with open_warehouse(plant.settings) as connection:
        incidents = judge(connection, plant.settings, now).incidents
        assert is_current(connection)  # no figure would change
        assert not registries.has_changed(connection)
    return {
        one.metric: (one.incident_id, one.status, one.sentence)
        for one in incidents
        if registries.is_registry_metric(one.metric)
    }


def test_cut_registries_change_no_figure_and_are_one_incident_each(plant: Plant) -> None:
    drop(plant, SITES, SHIFTS, WORKERS)
    plant.drop("events/a.jsonl", "".join(EVENT % (hour, f"W{n}") for hour in (20, 22) for n in range(1, 6)))
    plant.batch()

    drop(plant, "site_id,name,timezone\n", SHIFTS[:-3], WORKERS[:75])
    plant.land(NOW)
    with open_warehouse(plant.settings) as connection:
        from quality import store

        store.make_tables(connection)
        assert registries.has_changed(connection)  # so that a batch without other changes judges it
    found = judged(plant, 1)
    assert {metric: status for metric, (_, status, _) in found.items()} == dict.fromkeys(
        ("registry_sites", "registry_shifts", "registry_workers"), "open"
    )
    assert "1 of 1 sites gone" in found["registry_sites"][2]
    assert "registry/shifts.csv, line 4: it ends within a value" in found["registry_shifts"][2]
    assert "night 480 → 4 min" in found["registry_shifts"][2]
    assert "37 of 40 workers would become unregistered" in found["registry_workers"][2]
    assert judged(plant, 2) == found

    drop(plant, SITES, SHIFTS, WORKERS)
    assert {metric: one[:2] for metric, one in judged(plant, 3).items()} == {
        metric: (one[0], "closed") for metric, one in found.items()
    }
