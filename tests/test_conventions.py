"""Conventions that no other test checks: documents, layers and lock files."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.__main__ import quote
from ingestion.contract.event_columns import COLUMNS
from ingestion.contract.events import EVENT_TYPES, FIELDS, VERSION_FIELD, Event
from ingestion.intake.answers import EventRecord
from ingestion.settings import ENVIRONMENT_PREFIX, Settings, read_settings
from orchestration.declared_marts import DESCRIBED_BY_PYTHON
from publishing.coarser import COARSER
from quality.alerts.settings import PREFIX as ALERT_PREFIX
from quality.alerts.settings import AlertSettings
from quality.mart_columns import TABLES as CHECK_TABLES
from quality.retraining import tables as model_tables

ROOT = Path(__file__).resolve().parent.parent
# Marts that Python computes from other marts; all others are models.
MADE = {**model_tables.TABLES, **CHECK_TABLES}
MARTS = sorted(path.stem for path in (ROOT / "dbt_project/models/marts").glob("*.sql"))
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))
SETTINGS = [ENVIRONMENT_PREFIX + name.upper() for name in Settings.model_fields]

# Under `make test`, a test inherits what make tells its sub-makes, for instance to print the folder that they enter.
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project_files() -> Iterator[tuple[str, str]]:
    """Every text file that is or would be committed, with its content."""
    if not (ROOT / ".git").exists():
        pytest.skip("a folder without its history does not say what is committed")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, content.decode("utf-8", errors="replace")


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported_modules(path: Path) -> set[str]:
    """Full names of everything that a module imports, at any place in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def importers(folder: str, *forbidden: str) -> list[str]:
    """Files of a folder that import one of the modules or a module below it."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in python_files(folder)
        if any(
            name == module or name.startswith(module + ".") for name in imported_modules(path) for module in forbidden
        )
    ]


# Documents


@pytest.mark.parametrize("variable", SETTINGS)
@pytest.mark.parametrize("document", [".env.example", "README.md"])
def test_every_setting_is_documented(document: str, variable: str) -> None:
    assert variable in text_of(document)


@pytest.mark.parametrize("variable", [ALERT_PREFIX + name.upper() for name in AlertSettings.model_fields])
@pytest.mark.parametrize("document", [".env.example", "docs/quality.md"])
def test_every_setting_of_the_alerts_is_documented(document: str, variable: str) -> None:
    assert variable in text_of(document)


def test_the_example_environment_holds_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", text_of(".env.example"), flags=re.MULTILINE))

    assert read_settings(example) == read_settings({})


# Limits that protect landing. They change no number, so the contract leaves them to the plant.
GUARDS = {name for name in SETTINGS if "_MAX_OBJECT_" in name or name.endswith(("_STILL_SECONDS", "_MAX_RECORD_BYTES"))}
# When retraining is requested, and who is informed. These change no number either.
OPERATIONS = {name for name in SETTINGS if "_RETRAINING_" in name} | {
    f"{ENVIRONMENT_PREFIX}{name}"
    for name in ("CONFIDENCE_FLOOR", "OLD_EVENT_DAYS", "SITE_URL", "ALLOWED_HOSTS", "TRAINER_COMMAND")
}


def test_every_setting_of_the_contract_is_a_field_and_the_other_way_round() -> None:
    section = text_of("docs/contract.md").partition("## 8. Settings")[2]
    named = {ENVIRONMENT_PREFIX + name for name in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", section)}

    assert named == set(SETTINGS) - GUARDS - OPERATIONS


def test_every_make_command_that_is_written_down_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.MULTILINE))
    written = {
        (name, target)
        for name in ("README.md", ".ci/run", "scripts/setup", "scripts/demo.py")
        for target in re.findall(r"(?:^|`|: |exec |run )make ([a-z-]+)", text_of(name), flags=re.MULTILINE)
    }

    assert len(written) > 8
    assert {(name, target) for name, target in written if target not in targets} == set()


def test_make_help_lists_every_command() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.MULTILINE)) - {"ready"}
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert {line.split()[1] for line in shown.splitlines()} == targets
    assert all(len(line.split()) > 2 for line in shown.splitlines())


def test_the_readme_opens_with_the_two_commands_and_the_picture() -> None:
    first_screen = "\n".join(text_of("README.md").splitlines()[:30])

    assert all(part in first_screen for part in ("make demo", "make test", "docs/screenshot.png", "`reports/`"))


def test_every_link_of_the_documents_leads_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name, text in project_files()
        if name.endswith(".md") and not name.startswith("reports/pages/")
        for target in re.findall(r"(?<!!)\[[^]]*\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
        if not (ROOT / name).parent.joinpath(target).exists()
    ]

    assert broken == []


def test_every_recipe_has_five_lines_and_names_files_that_exist() -> None:
    recipes = text_of("CONTRIBUTING.md").partition("## Recipes")[2].split("\n### ")[1:]
    named = {
        path for recipe in recipes for path in re.findall(r"`([\w./-]+/[\w./-]*)`", recipe)
    }  # except those with a <placeholder>

    assert [recipe.splitlines()[0] for recipe in recipes] == [
        f"A new {what}" for what in ("event field", "mart", "setting", "check", "page", "alert sink")
    ]
    assert [len(re.findall(r"^\d\. ", recipe, flags=re.MULTILINE)) for recipe in recipes] == [5] * 6
    assert len(named) > 15
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_decision_is_in_the_list() -> None:
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", text_of("docs/decisions/README.md")))

    assert listed == {path.name for path in (ROOT / "docs/decisions").glob("0*.md")}


def test_ci_runs_what_people_run() -> None:
    commands = [line for line in text_of(".ci/run").splitlines() if line and not line.startswith(("#", "set ", "cd "))]

    assert commands == ["exec make test"]
    assert all(os.access(ROOT / name, os.X_OK) for name in (".ci/run", "scripts/setup", "scripts/clean-data"))


# Layers


def test_only_orchestration_knows_dagster() -> None:
    dagster = ("dagster", "dagster_dbt", "dagster_webserver")

    assert [
        *importers("ingestion", *dagster),
        *importers("quality", *dagster),
        *importers("reports", *dagster),
        *importers("serving", *dagster),
    ] == []
    assert importers("orchestration", *dagster) != []  # otherwise this test looks for the wrong names


# The packages that each package may import, from the bucket to the programs that people start.
ROOMS = {
    "serving": set(),
    "ingestion": {"serving"},
    "publishing": {"ingestion"},
    "quality": {"ingestion"},
    "privacy": {"ingestion", "publishing"},
    "backup": {"ingestion"},
    "simulator": {"ingestion", "publishing"},
    "reports": {"ingestion", "publishing", "serving"},
    "orchestration": {"backup", "ingestion", "privacy", "publishing", "quality", "reports", "serving"},
    "floorhouse": {"ingestion", "orchestration", "reports", "scripts"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room: str) -> None:
    outside = {*ROOMS, "scripts", "benchmarks", "tests"} - ROOMS[room] - {room}

    assert importers(room, *sorted(outside)) == []


def test_the_production_image_has_every_package_but_the_simulator() -> None:
    copied = set(re.findall(r"^COPY (\w+)/ \w+/$", text_of("docker/Dockerfile"), flags=re.MULTILINE))

    assert copied == {*ROOMS, "dbt_project"} - {"simulator"}


def test_the_report_never_opens_the_warehouse() -> None:
    assert importers("reports", "ingestion.warehouse") == []
    for path in python_files("reports"):
        text = path.read_text(encoding="utf-8")
        assert "warehouse_path" not in text, path
        assert "warehouse.duckdb" not in text, path


# Models


@cache
def described_models() -> dict[str, dict[str, Any]]:
    files = (ROOT / "dbt_project/models").rglob("*.yml")
    return {
        model["name"]: model
        for file in files
        for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models", [])
    }


def contract_columns(mart: str) -> list[str]:
    """The columns that section 6 of the contract gives a mart, in order."""
    section = text_of("docs/contract.md").partition("## 6. ")[2].partition("\n## ")[0]
    words = re.search(rf"^\*\*`{mart}`\*\* — (.*?)(?=\n\n|\n- |\n\*\*|\Z)", section, flags=re.DOTALL | re.MULTILINE)
    assert words, f"section 6 has no {mart}"
    without_remarks = re.split(r"\.\s", re.sub(r"\([^()]*\)", "", words[1]))[0]
    return [
        name.strip() for span in re.findall(r"`([^`]*)`", without_remarks) for name in span.split(",") if name.strip()
    ]


def test_every_mart_of_the_contract_is_made_and_no_other() -> None:
    section = text_of("docs/contract.md").partition("## 6. ")[2].partition("\n## ")[0]

    assert re.findall(r"^\*\*`(\w+)`\*\*", section, flags=re.MULTILINE) != []
    assert sorted(re.findall(r"^\*\*`(\w+)`\*\*", section, flags=re.MULTILINE)) == sorted([*MARTS, *MADE, COARSER.name])


@pytest.mark.parametrize("mart", MADE)
def test_every_mart_that_python_makes_has_the_columns_of_the_contract(mart: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table made ({MADE[mart]})")
        made = [name for (name,) in connection.execute("select column_name from (describe made)").fetchall()]

    assert made == contract_columns(mart)
    assert made[0] == "site_id"
    assert list(DESCRIBED_BY_PYTHON[mart].columns) == made
    assert DESCRIBED_BY_PYTHON[mart].row.startswith("One row per ")


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_says_what_one_row_is_and_has_the_columns_of_the_contract(mart: str) -> None:
    model = described_models()[mart]

    assert model["description"].startswith("One row per ")
    assert [column["name"] for column in model["columns"]] == contract_columns(mart)
    assert all(column.get("data_type") and column.get("description") for column in model["columns"])


def test_every_column_of_a_mart_says_its_unit_and_its_source_and_a_number_its_formula() -> None:
    models = [described_models()[mart] for mart in MARTS]
    columns = {(model["name"], column["name"]): column for model in models for column in model["columns"]}
    meta = {key: column.get("config", {}).get("meta", {}) for key, column in columns.items()}
    # Columns with values that are copied from events have no formula.
    plain = {"confidence", "bytes", "position", "target_units_per_hour"}
    numbers = {key for key, column in columns.items() if column["data_type"] in ("double", "bigint")}

    assert len(columns) > 40
    assert [key for key in columns if not (meta[key].get("unit") and meta[key].get("source"))] == []
    assert [key for key in sorted(numbers) if key[1] not in plain and not meta[key].get("formula")] == []


def test_a_columns_name_says_whether_it_is_an_instant_a_local_time_a_date_or_a_duration() -> None:
    """In every mart, as the contract names its instants."""
    kinds = {"at": "timestamp with time zone", "local": "timestamp", "date": "date", "on": "date", "seconds": "double"}
    others = dict.fromkeys(("timestamp", "hour", "in_force_since"), kinds["at"])
    columns = [
        (column["name"], column["data_type"]) for mart in MARTS for column in described_models()[mart]["columns"]
    ]
    endings = [(name, name.rpartition("_")[2], kind) for name, kind in columns if name not in others]

    assert {one for one in endings if one[1] in kinds and one[2] != kinds[one[1]]} == set()
    assert {one for one in endings if one[2] in set(kinds.values()) - {"double"} and one[1] not in kinds} == set()
    assert {(name, kind) for name, kind in columns if name in others and kind != others[name]} == set()


def test_every_mart_has_an_enforced_contract() -> None:
    from orchestration.dbt.manifest import manifest_path

    nodes = json.loads(manifest_path().read_text(encoding="utf-8"))["nodes"].values()
    enforced = [
        node["name"]
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] == "marts" and node["config"]["contract"]["enforced"]
    ]

    assert sorted(enforced) == MARTS


def test_only_staging_reads_raw_tables() -> None:
    models = ROOT / "dbt_project/models"
    readers = {
        path.parent.name for path in models.rglob("*.sql") if re.search(r"\bsource\s*\(\W*raw", path.read_text("utf-8"))
    }

    assert readers == {"staging"}


def test_every_column_of_an_event_has_its_place() -> None:
    """The declared columns are the fields of `Event`, staging shows each, and the intake describes each field."""
    staged = set(re.findall(r"^    (\w+),?$", text_of("dbt_project/models/staging/stg_raw__events.sql"), re.MULTILINE))

    assert {column.field for column in COLUMNS} == {field.name for field in fields(Event)}
    assert {column.name for column in COLUMNS} | {"object_id", "position"} == staged
    assert {field.name for field in fields(Event)} == FIELDS - {VERSION_FIELD} == EventRecord.model_fields.keys()


def test_the_event_types_have_one_home() -> None:
    listed = re.compile(r"working\W{1,6}idle\W{1,6}absent(\W{1,6}product_count)?")
    homes = {name for name, text in project_files() if name.endswith((".py", ".sql", ".yml")) and listed.search(text)}
    variables = yaml.safe_load(text_of("dbt_project/dbt_project.yml"))["vars"]

    assert tuple(variables["event_types"]) == EVENT_TYPES
    assert {name for name in homes if not name.startswith(("tests/", "benchmarks/", "dbt_project/models/"))} == {
        "ingestion/contract/events.py",
        "dbt_project/dbt_project.yml",
    }


def test_every_model_is_described() -> None:
    undescribed = {path.stem for path in (ROOT / "dbt_project/models").rglob("*.sql")} - {
        name for name, model in described_models().items() if model.get("description", "").startswith("One row")
    }

    assert undescribed == set()


# Locks and traces


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_its_hashes_and_no_index(lock: str) -> None:
    packages = [block for block in re.split(r"\n(?=[a-zA-Z])", text_of(lock)) if re.match(r"[a-zA-Z]", block)]

    assert packages != []
    assert [block.split("==")[0] for block in packages if "--hash=sha256:" not in block] == []
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links|@ file", text_of(lock))


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))
    groups = project["dependency-groups"]
    asked = {"requirements.lock": project["project"]["dependencies"], "requirements-dev.lock": groups["dev"]}
    asked |= {f"requirements-{group}.lock": groups[group] for group in groups if group != "dev"}

    for lock, specifications in asked.items():
        locked = {
            canonicalize_name(name): version
            for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text_of(lock), flags=re.MULTILINE)
        }
        for requirement in map(Requirement, filter(lambda text: isinstance(text, str), specifications)):
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), f"{lock}: {requirement}"
    assert set(asked) == set(LOCKS)


def test_the_npm_lock_names_no_registry_and_every_package_has_its_hash() -> None:
    packages = json.loads(text_of("reports/package-lock.json"))["packages"]

    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [
        name for name, package in packages.items() if name and not (package.get("integrity") or package.get("inBundle"))
    ] == []


def test_nothing_committed_names_a_machine_or_a_registry() -> None:
    machine = re.compile(r"(?<![\w.$}])/(?:root|home|work|Users)/\w")
    registry = re.compile(r"\b(?:pypi\.org|files\.pythonhosted|registry\.npmjs|ghcr\.io|quay\.io|docker\.io)\b")
    found = [
        f"{name}: {match[0]}"
        for name, text in project_files()
        if ROOT / name != Path(__file__).resolve()
        for match in [*machine.finditer(text), *registry.finditer(text)]
    ]

    assert found == []


def test_the_readme_quotes_the_last_benchmark_word_for_word() -> None:
    readme, results = (ROOT / "README.md").read_text(), (ROOT / "benchmarks/results.md").read_text()
    assert quote(readme, results) == readme
