"""Two recipes of CONTRIBUTING.md, followed in a copy of the tree: a new event field, and a new mart that shows it.

Each edit below is part of a recipe. If a recipe is no longer enough, this test fails before a contributor does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "target", "logs", "data", "__pycache__", "*.duckdb")

JUDGE = """

def _read_lot(record: dict[str, object]) -> str:
    return read_identifier(record, "lot", UNKNOWN)
"""
# A new event field: for each file, texts and their replacements.
FIELD = {
    "docs/contract.md": [("| `contract_version` |", "| `lot` | an identifier | `unknown` |\n| `contract_version` |")],
    "ingestion/contract/events.py": [
        ('"model_version"\n)', '"model_version", "lot"\n)'),
        ("    count_total: int | None = None\n", "    count_total: int | None = None\n    lot: str = UNKNOWN\n"),
        (
            "        count_total=count_total if is_count else None,\n",
            "        count_total=count_total if is_count else None,\n        lot=_read_lot(record),\n",
        ),
        ("\n\ndef _version_of(", f"{JUDGE}\n\ndef _version_of("),
    ],
    "ingestion/contract/event_columns.py": [
        ('    Column("model_version"', '    Column("lot", "lot", "varchar"),\n    Column("model_version"')
    ],
    "ingestion/reading/column_rules.py": [
        (
            '            "model_version": UNKNOWN,\n',
            '            "model_version": UNKNOWN,\n            "lot": UNKNOWN,\n',
        )
    ],
    "ingestion/migrations.py": [
        ("\n)\n\nNEWEST", "\n    \"alter table raw.events add column lot varchar default 'unknown'\",\n)\n\nNEWEST")
    ],
    "ingestion/intake/answers.py": [
        ("    camera_id: str = Field(UNKNOWN", "    lot: str = Field(UNKNOWN)\n    camera_id: str = Field(UNKNOWN")
    ],
    "dbt_project/models/staging/stg_raw__events.sql": [("    model_version,\n", "    model_version,\n    lot,\n")],
}
# A new mart.
CONTRACT = "**`lots`** — site × lot: `site_id, lot, event_count` (accepted records).\n\n"
MODEL = """{{ config(materialized="replaced", tags=["whole"]) }}

select
    site_id,
    lot,
    count(*) as event_count
from {{ ref('stg_raw__events') }}
group by site_id, lot
"""
DESCRIPTION = """version: 2

models:
  - name: lots
    description: One row per site and lot.
    config: {meta: {about: plant, scope: whole, day: null, names: []}}
    data_tests:
      - unique_combination:
          arguments: {columns: [site_id, lot]}
    columns:
      - {name: site_id, data_type: varchar, description: The site., config: {meta: {unit: id, source: raw.events}}}
      - {name: lot, data_type: varchar, description: The lot., config: {meta: {unit: id, source: raw.events}}}
      - name: event_count
        data_type: bigint
        description: The number of accepted records.
        config: {meta: {unit: events, source: raw.events, formula: count of records}}
"""
# The checks of a contributor: the conventions about marts, and a batch.
PROGRAM = """
import json, sys
from pathlib import Path
from tests import test_conventions as conventions
from tests.plant import Plant
from tests.publishing import test_what_may_be_shown as shown

conventions.test_every_mart_of_the_contract_is_made_and_no_other()
conventions.test_every_mart_says_what_one_row_is_and_has_the_columns_of_the_contract("lots")
conventions.test_every_column_of_a_mart_says_its_unit_and_its_source_and_a_number_its_formula()
conventions.test_every_column_of_an_event_has_its_place()
shown.test_for_every_mart_somebody_decided_what_may_be_shown()
plant = Plant(Path(sys.argv[1]))
plant.drop("events/a.jsonl", Path(sys.argv[2]).read_bytes())
plant.batch(data_tests=True)
print(json.dumps([plant.mart("lots"), plant.mart("landed_objects")[0]["unexpected_fields"]]))
"""
EVENT = (
    '{"timestamp":"2026-01-15T10:1%s:00Z","worker_id":"W1","workstation_id":"S3","event_type":"working",'
    '"confidence":0.93,"count":%s%s}\n'
)


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert text.count(before) == 1, f"{path.name}: {before!r} stands there {text.count(before)} times"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_a_field_and_a_mart_that_follow_the_recipes_are_landed_computed_and_published(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
    for name, changes in FIELD.items():
        edit(tree / name, *changes)
    edit(tree / "docs/contract.md", ("**`unread_objects`** — ", f"{CONTRACT}**`unread_objects`** — "))
    (tree / "dbt_project/models/marts/lots.sql").write_text(MODEL)
    (tree / "dbt_project/models/marts/lots.yml").write_text(DESCRIPTION)
    edit(
        tree / "tests/publishing/test_what_may_be_shown.py", ("NOTHING_SHOWN = {\n", 'NOTHING_SHOWN = {\n    "lots",\n')
    )
    # Plain records, one of them without the field, and one that only the exact path reads.
    records = EVENT % (1, 1, ',"lot":"L7"') + EVENT % (2, 1, "") + EVENT % (3, "50e-1", ',"lot":"L7"')
    (tmp_path / "records.jsonl").write_text(records)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "plant"), str(tmp_path / "records.jsonl")],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-3000:]
    assert json.loads(run.stdout.splitlines()[-1]) == [
        [
            {"site_id": "default", "lot": "L7", "event_count": 2},
            {"site_id": "default", "lot": "unknown", "event_count": 1},
        ],
        [],
    ]


@pytest.mark.parametrize("recipe", ["A new event field", "A new mart"])
def test_every_file_that_is_edited_here_is_named_by_the_recipe(recipe: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition(f"### {recipe}\n")[2].partition("\n### ")[0]
    of_the_mart = (
        "docs/contract.md",
        "dbt_project/models/marts/<mart>.sql",
        "tests/publishing/test_what_may_be_shown.py",
    )
    edited = FIELD if recipe == "A new event field" else of_the_mart

    assert [name for name in edited if name not in re.findall(r"`([\w./<>-]+)`", text)] == []
