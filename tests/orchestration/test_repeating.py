"""Builds that send the statements of an earlier build again give what dbt gives by rendering them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.compilation import Compiler

from ingestion.errors import TransformError
from tests.plant import EVENT, Plant


@contextmanager
def rendered() -> Iterator[list[str]]:
    """The names of the nodes that dbt renders meanwhile."""
    names: list[str] = []
    compile_node = Compiler.compile_node

    def note(self: Any, node: Any, *arguments: Any, **options: Any) -> Any:
        names.append(node.name)
        return compile_node(self, node, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compiler, "compile_node", note)
        yield names


def events(date: str, *minutes: int) -> str:
    """Events of two workers at these minutes."""
    return "".join(
        json.dumps({**EVENT, "timestamp": f"{date}T10:{minute:02}:00Z", "worker_id": f"W{minute % 2}"}) + "\n"
        for minute in minutes
    )


@pytest.mark.slow
def test_a_build_of_the_same_kind_is_sent_again_and_the_marts_are_those_of_one_batch(tmp_path: Path) -> None:
    plant, other = Plant(tmp_path / "a"), Plant(tmp_path / "b")
    for number in range(3):
        plant.drop(f"events/{number}.jsonl", events("2026-01-15", number, 30 + number))
        with rendered() as names:
            plant.batch(data_tests=number == 0)
    assert names == []  # a rebuild, a build that was recorded, and one that repeated it
    # Another date stands in the SQL of the nodes that it touches: they are rendered again, the others are not.
    plant.drop("events/later.jsonl", events("2026-01-18", 5))
    with rendered() as names:
        plant.batch()
    assert "worker_shifts" in names
    assert "contacts" not in names
    # A mart fails in a statement that is sent again: it is named, what was published stays, the next batch is whole.
    before = plant.mart("worker_shifts")
    with duckdb.connect(str(plant.settings.warehouse_path)) as connection:
        view = connection.execute("select sql from duckdb_views() where view_name = 'stg_raw__contacts'").fetchall()
        connection.execute("create or replace view staging.stg_raw__contacts as select 1 as nothing")
    plant.drop("events/last.jsonl", events("2026-01-18", 6))
    with pytest.raises(TransformError, match="model contacts failed"):
        plant.batch()
    assert plant.mart("worker_shifts") == before
    with duckdb.connect(str(plant.settings.warehouse_path)) as connection:
        connection.execute(view[0][0].replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
    everything = [events("2026-01-15", number, 30 + number) for number in range(3)]
    other.drop("events/all.jsonl", "".join([*everything, events("2026-01-18", 5, 6)]))
    assert_same_marts_but_objects(plant, other)


def assert_same_marts_but_objects(plant: Plant, other: Plant) -> None:
    """Compare after a batch in both; the objects that brought the events differ."""
    plant.batch()
    other.batch()
    names = {path.stem for path in plant.settings.published_path.glob("*.parquet")} - {"landed_objects"}
    assert len(names) >= 20
    for name in names:
        assert plant.mart(name) == other.mart(name), name
