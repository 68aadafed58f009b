"""Random plants, sent in random objects over random runs: the published marts equal those of the naive reference.

A build takes seconds however small it is, so each example puts many independent plants, each with its own sites, into
one bucket. A failure names the site; the number after its `p` is the place of the plant's seed in the example.
"""

from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.plant import NOW, Plant
from tests.properties.comparison import bits, mart_differences
from tests.properties.random_objects import Objects, random_runs
from tests.properties.random_plants import RandomPlant, common_shifts, random_plant, united
from tests.reference.marts import KEYS, compute_marts
from tests.reference.plant import Registry, Settings
from tests.reference.reading import read_object

PLANTS_PER_EXAMPLE = 30
SEEDS = st.integers(0, 2**32 - 1)
# Shrinking would build hundreds of times; a plant from a seed is small enough to examine.
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
SETTINGS = st.builds(
    Settings,
    last_event_minutes=st.sampled_from([30, 30, 0.5, 7.5, 600]),
    max_state_minutes=st.sampled_from([None, None, 20, 45]),
)


def plants_of(seeds: list[int]) -> list[RandomPlant]:
    return [random_plant(seed, f"p{number}") for number, seed in enumerate(seeds)]


def build(folder: str, numbers: Settings, registries: list[Registry], runs: list[Objects]) -> Plant:
    """A plant after some runs, each with its registry and objects. The settings apply in the last run."""
    for run, (registry, objects) in enumerate(zip(registries, runs, strict=True), start=1):
        plant = Plant(Path(folder), **(vars(numbers) if run == len(runs) else {}))
        for key, text in registry.files().items():
            plant.drop(key, text)
        for key, content in objects:
            plant.drop(key, content)
        plant.batch(data_tests=run == len(runs))
    return plant


def published(plant: Plant) -> dict[str, list[dict[str, Any]]]:
    return {mart: plant.mart(mart) for mart in KEYS}


@pytest.mark.slow
@pytest.mark.timeout(900)  # the reference is naive, and some examples are large
@settings(max_examples=3, deadline=None, phases=WITHOUT_SHRINKING)
@given(
    seeds=st.lists(SEEDS, min_size=PLANTS_PER_EXAMPLE, max_size=PLANTS_PER_EXAMPLE, unique=True),
    order=SEEDS,
    run_count=st.integers(1, 3),
    numbers=SETTINGS,
)
def test_any_order_of_records_over_any_number_of_runs_gives_the_marts_of_the_reference(
    seeds: list[int], order: int, run_count: int, numbers: Settings
) -> None:
    random = Random(order)
    plants = plants_of(seeds)
    registry = united(plants, common_shifts(random))
    # Registries change between runs; the last version counts.
    earlier = [united(random.sample(plants, len(plants) // 2), common_shifts(random)) for _ in range(run_count - 1)]
    runs = random_runs([line for plant in plants for line in plant.lines], run_count, random)
    # One key with one content is one object, however often it was sent.
    readings = {(key, content): read_object(key, content, NOW) for run in runs for key, content in run}
    accepted = [event for reading in readings.values() for event in reading.events]
    expected = compute_marts(accepted, registry, numbers, NOW)
    with TemporaryDirectory() as folder:
        plant = build(folder, numbers, [*earlier, registry], runs)
        marts = published(plant)
        rejected = [(row["object_key"], row["position"], row["reason"]) for row in plant.mart("rejected_records")]
        landed = [(row["object_key"], row["records"], row["accepted"]) for row in plant.mart("landed_objects")]
    found = [difference for mart in KEYS for difference in mart_differences(mart, marts[mart], expected[mart])]
    assert found == [], f"seeds {seeds}"
    assert Counter(landed) == Counter((key, each.records, len(each.accepted)) for (key, _), each in readings.items())
    assert Counter(rejected) == Counter(
        (key, record.position, record.reason) for (key, _), each in readings.items() for record in each.rejected
    )


@pytest.mark.slow
@pytest.mark.timeout(900)  # the reference is naive, and some examples are large
@settings(max_examples=2, deadline=None, phases=WITHOUT_SHRINKING)
@given(
    seeds=st.lists(SEEDS, min_size=PLANTS_PER_EXAMPLE, max_size=PLANTS_PER_EXAMPLE, unique=True),
    orders=st.tuples(SEEDS, SEEDS),
    numbers=SETTINGS,
)
def test_the_published_marts_are_the_same_bit_for_bit_whatever_the_order(
    seeds: list[int], orders: tuple[int, int], numbers: Settings
) -> None:
    plants = plants_of(seeds)
    registry = united(plants, common_shifts(Random(seeds[0])))
    lines = [line for plant in plants for line in plant.lines]
    marts = []
    for order, run_count in zip(orders, (1, 3), strict=True):
        # A record's camera may come from its folder. Both orders must send the same events, so no key has a folder.
        runs = [
            [(key.replace("camera_id=edge/", ""), content) for key, content in objects]
            for objects in random_runs(lines, run_count, Random(order))
        ]
        with TemporaryDirectory() as folder:
            marts.append(published(build(folder, numbers, [registry] * run_count, runs)))
    for mart in KEYS:
        assert bits(marts[0][mart]) == bits(marts[1][mart]), f"{mart}, seeds {seeds}"
