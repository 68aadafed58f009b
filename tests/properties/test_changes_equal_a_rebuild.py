"""Random histories of a plant, batch by batch: after each, the marts equal those of a full rebuild.

Between batches, everything changes that may change a number: records that arrive early, late and twice, or are rejected
and judged again; labels; shifts, cameras, time zones and names in registries; settings; events that are removed singly
or by retention. A build takes seconds however small it is, so each example puts many plants into one bucket.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.contract import events
from ingestion.contract.event_key import event_key
from ingestion.contract.events import Refusal, folder_of, judge_record
from ingestion.landing.replay import replay_rejected
from ingestion.warehouse import changed_minutes_of, open_warehouse, transaction
from orchestration.commands.verify import Comparison, verify
from orchestration.dbt import runner
from orchestration.deletions import retain
from tests.plant import NOW, WITHOUT_DATA_TESTS, Plant
from tests.properties.random_objects import random_runs
from tests.properties.random_plants import (
    STATIONS,
    ZONES_AND_CHANGES,
    RandomPlant,
    own_cameras,
    own_closures,
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
    """The plants' registry after changes by administrators: a few sites cut, moved or renamed."""
    registry = united(plants, ())
    sites = sorted(registry.sites)
    for site in random.sample(sites, len(sites) // 4):
        zone, change = random.choice(ZONES_AND_CHANGES)
        kind = random.choice(["zone", "shifts", "names", "targets", "closures", "cameras", "gone"])
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
        elif kind == "closures":
            open_there = tuple(closure for closure in registry.closures if closure[0] != site)
            shut = own_closures(site, date.fromisoformat(change[:10]), random)
            registry = replace(registry, closures=(*open_there, *shut))
        elif kind == "cameras":
            rows = tuple(row for row in registry.cameras if row.site_id != site)
            seen_by = own_cameras(site, date.fromisoformat(change[:10]), random)
            registry = replace(registry, cameras=(*rows, *seen_by))
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
    """Remove events as retention and erasure do: rows go, and their minutes are noted in the same transaction."""
    some = f"raw.events where hash(site_id, worker_id, event_at) % 10 = {random.randrange(10)}"
    with open_warehouse(plant.settings) as connection, transaction(connection):
        connection.execute(changed_minutes_of(some))
        connection.execute(f"delete from {some}")


def keys_of(lines: list[str]) -> list[str]:
    """The keys of the events in some records. All of them name their site."""
    judged = [judge_record(line.encode("utf-8", "surrogatepass"), folder_of(""), NOW)[0] for line in lines]
    return [event_key(one) for one in judged if not isinstance(one, Refusal)]


def drop_labels(plant: Plant, keys: list[str], random: Random) -> None:
    """Drop labels of some events, also of events that have not arrived or are gone."""
    labels = [
        {
            "event_key": key,
            "true_event_type": random.choice(events.EVENT_TYPES),
            "reviewer": random.choice(["R1", "R2", "R3"]),
            "reviewed_at": (NOW - timedelta(minutes=random.randint(1, 9000))).isoformat(),
        }
        for key in random.sample(keys, min(len(keys), 60))
    ]
    plant.drop(f"labels/{random.getrandbits(64):x}.jsonl", "".join(json.dumps(label) + "\n" for label in labels))


@contextmanager
def narrow_contract(is_narrow: bool) -> Iterator[None]:
    """Act like a release that did not know some types yet: records read on the exact path may be rejected for them."""
    with pytest.MonkeyPatch.context() as patched:
        if is_narrow:
            patched.setattr(events, "EVENT_TYPES", ("working", "product_count"))
        yield


def retain_some(plant: Plant, random: Random) -> None:
    """Delete everything older than some of the events, for good."""
    kept = {name: random.choice([100, 250, 330]) for name in ("retention_event_days", "retention_person_days")}
    name = random.choice(list(kept))
    retain(plant.settings.model_copy(update={name: kept[name]}), NOW, lambda _: None)


def differences(plant: Plant) -> list[Comparison]:
    return [comparison for comparison in verify(plant.settings) if not comparison.is_equal]


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(
    max_examples=2,
    deadline=None,
    phases=WITHOUT_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the fixture is the same for all examples
)
@given(
    seeds=st.lists(SEEDS, min_size=PLANTS_PER_EXAMPLE, max_size=PLANTS_PER_EXAMPLE, unique=True),
    order=SEEDS,
)
def test_after_any_history_of_changes_the_marts_are_those_of_a_rebuild(
    monkeypatch: pytest.MonkeyPatch, seeds: list[int], order: int
) -> None:
    monkeypatch.setattr(runner, "BUILD", WITHOUT_DATA_TESTS)
    random = Random(order)
    plants = [random_plant(seed, f"p{number}") for number, seed in enumerate(seeds)]
    runs = random_runs([line for plant in plants for line in plant.lines], BATCHES, random)
    keys = keys_of([line for plant in plants for line in plant.lines])
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
            if random.random() < 0.5:
                drop_labels(plant, keys, random)
            with narrow_contract(random.random() < 0.5):
                plant.land()
            if random.random() < 0.5:
                replay_rejected(plant.settings)
            if random.random() < 0.4:
                remove_some_events(plant, random)
            if random.random() < 0.2:
                retain_some(plant, random)
            plant.batch()
            assert differences(plant) == [], f"seeds {seeds}, order {order}"
