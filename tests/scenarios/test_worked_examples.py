"""The worked examples of the contract's rules, computed by the naive reference and by the models."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.plant import Plant
from tests.reference.marts import compute_marts
from tests.reference.plant import Settings
from tests.reference.reading import read_object
from tests.scenarios.first_weeks import FIRST_WEEKS
from tests.scenarios.worked_examples import EXAMPLES, Example, grouped_by_plant, united

ALL = [*EXAMPLES, *FIRST_WEEKS]
PLANTS = list(grouped_by_plant(ALL))
MARTS = sorted({mart for example in ALL for mart in example.expected})


@pytest.mark.parametrize("example", ALL, ids=lambda each: each.site_id)
def test_the_reference_gives_what_the_example_says(example: Example) -> None:
    now = datetime.fromisoformat(example.now)
    reading = read_object("events/a.jsonl", "\n".join(example.lines()).encode(), now)
    assert not reading.rejected
    settings = Settings(max_state_minutes=example.max_state_minutes)
    assert example.differences(compute_marts(reading.events, example.registry, settings, now)) == []


@pytest.mark.parametrize(("now", "cap", "examples"), PLANTS, ids=[f"{now[:16]}-{cap}" for now, cap, _ in PLANTS])
def test_the_published_marts_give_what_the_examples_say(
    tmp_path: Path, now: str, cap: float | None, examples: list[Example]
) -> None:
    plant = Plant(tmp_path, **({} if cap is None else {"max_state_minutes": cap}))
    for key, text in united(examples).files().items():
        plant.drop(key, text)
    plant.drop("events/a.jsonl", "\n".join(line for example in examples for line in example.lines()))
    plant.batch(now=datetime.fromisoformat(now))
    marts: dict[str, list[dict[str, Any]]] = {mart: plant.mart(mart) for mart in MARTS}
    assert [(one.name, difference) for one in examples for difference in one.differences(marts)] == []
