"""Random histories of a plant, batch by batch: after each, the marts are those of a full rebuild.

What happens between batches is everything that may change a number: records that arrive early, late and twice, shifts,
time zones and names that administrators rewrite, settings, and events that are removed. A build costs seconds whatever
it builds, so each example packs many plants into one bucket, as its neighbour does.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingestion.warehouse import changed_minutes_of, open_warehouse, transaction
from orchestration.verify import Comparison, verify
from tests.plant import Plant
from tests.properties.random_objects import random_runs
from tests.properties.random_plants import (
    STATIONS,
    ZONES_AND_CHANGES,
    RandomPlant,
    own_shifts,
    own_targets,
    random_plant,
    united,
)
from tests.reference.plant import Registry

PLANTS_PER_EXAMPLE = 20
BATCHES = 5
SEEDS = st.integers(0, 2**32 - 1)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


def changed(plants: list[RandomPlant], random: Random) -> Registry:
    """The plants' registry as administrators may leave it this time: a few sites cut, moved or named otherwise."""
    registry = united(plants, ())
    sites = sorted(registry.sites)
    for site in random.sample(sites, len(sites) // 4):
        zone, change = random.choice(ZONES_AND_CHANGES)
        kind = random.choice(["zone", "shifts", "names", "targets", "gone"])
        if kind == "zone":
            registry.sites[site] = (registry.sites[site][0], zone)
        elif kind == "gone":
            del registry.sites[site]
        elif kind == "names":
            for key in [key for key in registry.workers if key[0] == site]:
                registry.workers[key] = random.choice(["Another name", "First worker"])
            for key in [key for key in registry.workstations if key[0] == site]:
                if random.random() < 0.5:
                    del registry.workstations[key]
                else:
                    registry.workstations[key] = ("Another station", random.choice(["press", "packing"]))
        elif kind == "targets":
            kept = tuple(target for target in registry.targets if target.site_id != site)
            day = date.fromisoformat(change[:10])
            asked = [target for station in STATIONS for target in own_targets(site, station, day, random)]
            registry = replace(registry, targets=(*kept, *asked))
        else:
            others = tuple(shift for shift in registry.shifts if shift.site_id != site)
            own = own_shifts(site, date.fromisoformat(change[:10]), random) if random.random() < 0.8 else []
            registry = replace(registry, shifts=(*others, *own))
    return registry


def remove_some_events(plant: Plant, random: Random) -> None:
    """As retention and erasure do: rows go, and the minutes they were in are noted in the same transaction."""
    some = f"raw.events where hash(site_id, worker_id, event_at) % 10 = {random.randrange(10)}"
    with open_warehouse(plant.settings) as connection, transaction(connection):
        connection.execute(changed_minutes_of(some))
        connection.execute(f"delete from {some}")


def differences(plant: Plant) -> list[Comparison]:
    return [comparison for comparison in verify(plant.settings) if not comparison.is_equal]


@pytest.mark.slow
@settings(max_examples=2, deadline=None, phases=WITHOUT_SHRINKING)
@given(
    seeds=st.lists(SEEDS, min_size=PLANTS_PER_EXAMPLE, max_size=PLANTS_PER_EXAMPLE, unique=True),
    order=SEEDS,
)
def test_after_any_history_of_changes_the_marts_are_those_of_a_rebuild(seeds: list[int], order: int) -> None:
    random = Random(order)
    plants = [random_plant(seed, f"p{number}") for number, seed in enumerate(seeds)]
    runs = random_runs([line for plant in plants for line in plant.lines], BATCHES, random)
    numbers: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        for objects in runs:
            if random.random() < 0.2:
                numbers = {"last_event_minutes": random.choice([0.5, 7.5, 600])}
            plant = Plant(Path(folder), **numbers)
            for key, text in changed(plants, random).files().items():
                plant.drop(key, text)
            for key, content in objects:
                plant.drop(key, content)
            plant.land()
            if random.random() < 0.4:
                remove_some_events(plant, random)
            plant.batch()
            assert differences(plant) == [], f"seeds {seeds}, order {order}"
