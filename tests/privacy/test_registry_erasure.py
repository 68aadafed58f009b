"""Erasure in the registries: the version in force follows the edited file without a confirmation."""

from __future__ import annotations

import json

import pytest

from ingestion.identity.journal import begin_erasure
from ingestion.warehouse import open_warehouse, warehouse_lock
from privacy.erasure import erase
from quality import store
from tests.plant import Plant

WORKERS = "sep=;\nsite_id;worker_id;name\nnorth;Worker-17;Jane Doe\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_erasure_confirms_its_own_edit(plant: Plant, encoding: str) -> None:
    path = plant.drop("registry/workers.csv", WORKERS.encode(encoding))
    plant.drop("events/none.jsonl", "")
    plant.land()
    with warehouse_lock(plant.settings):
        erase(plant.settings, begin_erasure(plant.settings, "north", "Worker-17"))
    assert path.read_bytes().decode(encoding) == "sep=;\nsite_id;worker_id;name\n"
    told: list[str] = []
    plant.land(log=told.append)
    assert not [line for line in told if "registry/" in line]
    assert (plant.raw("workers"), plant.raw("registry_refusals")) == ([], [])


def test_what_was_said_of_the_person_by_name_goes_and_other_sentences_stay(plant: Plant) -> None:
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n" + "".join(f"north,W{n},\n" for n in range(9)))
    plant.drop("events/none.jsonl", "")
    plant.land()
    rows = [
        ("look_alike_ids", "north", "Site north: 1 of 1 ids look like registered ones: w3 of W3."),
        ("look_alike_ids", "north", "Site north: 1 of 1 ids look like registered ones: w4 of W4."),
        ("look_alike_ids", "south", "Site south: 1 of 1 ids look like registered ones: w3 of W3."),
        ("registry_workers", "*", "registry/workers.csv, line 2: worker_id is 'W3', and so on."),
        ("volume", "north", "Site north, camera W3: 3 events."),
    ]
    with open_warehouse(plant.settings) as connection:
        store.make_tables(connection)
        for metric, site, sentence in rows:
            connection.execute(
                "insert into marts.incidents select ?, ?, ?, '', '', '', '', now(), null, '2026-01-01', '2026-01-01', "
                "'warning', 'open', ?, null, '', null, null",
                [site, sentence, metric, sentence],
            )
    for number, (metric, site, sentence) in enumerate(rows):
        path = plant.settings.alerts_folder / f"{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"message": {"metric": metric, "site_id": site, "sentence": sentence}}))
    with warehouse_lock(plant.settings):
        erase(plant.settings, begin_erasure(plant.settings, "north", "W3"))
    kept = plant.query("select metric, site_id from warehouse.marts.incidents order by all", attach=True)
    assert [tuple(row.values()) for row in kept] == [
        ("look_alike_ids", "north"),
        ("look_alike_ids", "south"),
        ("volume", "north"),
    ]
    assert [path.name for path in sorted(plant.settings.alerts_folder.iterdir()) if not path.read_bytes()] == [
        "0.json",
        "3.json",
    ]
