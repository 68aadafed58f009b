"""SQL follows the direction of the data too: which schemas of the warehouse each folder may name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ("raw", "staging", "intermediate", "handover", "marts", "build", "frozen")
# `handover` has dbt's tables for `quality` that are not marts; `build` has the state of builds. Erasure and retention
# affect all layers, and ask the warehouse for its tables.
MAY_NAME = {
    "ingestion": {"raw", "build"},
    "publishing": {"raw", "marts", "build"},
    "privacy": {"raw", "intermediate"},
    "quality": {"raw", "marts", "handover"},
    "simulator": set(),
    "reports": set(),
    "orchestration": {"raw", "intermediate", "handover", "build"},
    "scripts": {"raw"},
    "benchmarks": {"raw"},
}
# These discard the state of a build, so that everything is computed again after a change of stored data.
FORGETS = {"identity.py", "migrations.py", "people.py"}
NAMED = re.compile(rf"\b(?:from|join|into|update|table|exists|describe|in)\s+({'|'.join(SCHEMAS)})\.[\"a-z_{{]")
# Macros that read, from the last batch, a table that is computed later: a ref would be circular.
LAST_BATCH = {"counters.sql", "stretches.sql"}
# Contract §6: the dates with a row in this mart determine which windows have a target.
FROM_MARTS = {("int_station_targets", "site_shifts")}
# The models that each layer may read, by the names in dbt's refs.
LAYERS = {"staging": set(), "intermediate": {"stg", "int"}, "marts": {"int", "mart", "stg"}}


def statements(path: Path) -> Iterator[str]:
    """The string constants of a module without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def schemas_named(path: Path) -> set[str]:
    return {name for text in statements(path) for name in NAMED.findall(text.lower())}


@pytest.mark.parametrize("room", MAY_NAME)
def test_a_folder_names_only_the_schemas_it_may(room: str) -> None:
    named = {path.name: schemas_named(path) for path in (ROOT / room).rglob("*.py")}

    assert {file: found - MAY_NAME[room] for file, found in named.items() if found - MAY_NAME[room]} == {}


def test_ingestion_only_forgets_builds() -> None:
    named = {path.name for path in (ROOT / "ingestion").rglob("*.py") if "build" in schemas_named(path)}

    assert named == FORGETS


@pytest.mark.parametrize(
    ("statement", "schemas"),
    [
        ('sql = "select a from marts.sites"', {"marts"}),
        ("sql = f'delete from raw.{table}'", {"raw"}),
        ("sql = '''select *\\n join intermediate.int_x using (a)'''", {"intermediate"}),
        ('"""Reads from marts.sites."""', set()),
        ('name = "build.name"', set()),
    ],
)
def test_a_schema_is_found_in_statements_and_not_in_documentation(
    tmp_path: Path, statement: str, schemas: set[str]
) -> None:
    (tmp_path / "module.py").write_text(statement)

    assert schemas_named(tmp_path / "module.py") == schemas


@pytest.mark.parametrize("layer", LAYERS)
def test_a_model_reads_its_own_layer_and_those_before_it(layer: str) -> None:
    marts = {path.stem for path in (ROOT / "dbt_project/models/marts").glob("*.sql")}
    wrong = {
        path.stem: name
        for path in (ROOT / "dbt_project/models" / layer).rglob("*.sql")
        if 'schema="handover"' not in path.read_text(encoding="utf-8")
        for name in re.findall(r"\bref\('(\w+)'\)", path.read_text(encoding="utf-8"))
        if ("mart" if name in marts else name.partition("_")[0]) not in LAYERS[layer]
        and (path.stem, name) not in FROM_MARTS
    }

    assert wrong == {}


def test_no_table_of_a_layer_is_named_without_a_ref() -> None:
    written = re.compile(rf"\b(?:from|join)\s+(?:{'|'.join(SCHEMAS)})\.\w|api\.Relation\.create")
    folders = [ROOT / "dbt_project" / name for name in ("models", "macros", "data_tests")]
    found = {path.name for folder in folders for path in folder.rglob("*.sql") if written.search(path.read_text())}

    assert found == LAST_BATCH
