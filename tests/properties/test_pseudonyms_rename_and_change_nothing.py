"""Random plants under pseudonyms have the marts of the same plants under names, with every worker renamed."""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from ingestion.identity.pseudonyms import pseudonym
from tests.plant import Plant
from tests.properties.comparison import bits
from tests.properties.random_objects import random_runs
from tests.properties.random_plants import common_shifts, united
from tests.properties.test_marts_equal_the_reference import SEEDS, WITHOUT_SHRINKING, plants_of
from tests.reference.marts import KEYS

KEY = "a key that is long enough for a plant"


def renamed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with pseudonyms in place of ids, in their order."""
    for row in rows:
        if row.get("worker_id") is not None:  # an interval of a station has none
            row["worker_id"] = pseudonym(KEY.encode(), row["site_id"], row["worker_id"])
        if "worker_name" in row:
            row["worker_name"] = row["worker_id"]
    return sorted(rows, key=lambda row: [(value is None, str(value)) for value in row.values()])


@pytest.mark.slow
@pytest.mark.timeout(900)  # the reference is naive, and some examples are large
@settings(max_examples=1, deadline=None, phases=WITHOUT_SHRINKING)
@given(seed=SEEDS)
def test_the_marts_under_pseudonyms_are_the_named_ones_up_to_the_names(seed: int) -> None:
    plants = plants_of([seed + number for number in range(20)])
    registry = united(plants, common_shifts(Random(seed)))
    (objects,) = random_runs([line for plant in plants for line in plant.lines], 1, Random(seed))
    marts = []
    for identity in ("named", "pseudonym"):
        with TemporaryDirectory() as folder:
            plant = Plant(Path(folder), worker_identity=identity, pseudonym_key=KEY)
            for key, text in registry.files().items():
                plant.drop(key, text)
            for key, content in objects:
                plant.drop(key, content)
            plant.batch()
            marts.append({mart: plant.mart(mart) for mart in KEYS})
    named, hidden = marts
    assert any(row["worker_id"] for row in named["worker_shifts"])
    for mart in KEYS:
        in_order = sorted(hidden[mart], key=lambda row: [(value is None, str(value)) for value in row.values()])
        assert bits(renamed(named[mart])) == bits(in_order), f"{mart}, seed {seed}"
