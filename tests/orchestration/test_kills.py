"""Incremental batches killed at many points: the published version stays whole, and the next batch repairs everything.

Every plant is a copy of one that a batch has built. Its next batch has late events, new names and a changed shift
calendar, and is killed. Then it runs again undisturbed: marts and site must equal those of a plant whose batch was
never killed.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingestion.registry.content import hash_of
from publishing.versions import KEPT_VERSIONS, VERSIONS_FOLDER
from tests.orchestration.mortal import Mortal
from tests.plant import Plant
from tests.properties.comparison import bits
from tests.reports.conftest import write_shell

EVENT = (
    '{"timestamp":"2026-%s:00Z","worker_id":"%s","workstation_id":"S%s","event_type":"%s","confidence":0.9,'
    '"site_id":"%s","camera_id":"C1","model_name":"eye","model_version":"%s"}\n'
)
DAYS = [f"01-{day:02}" for day in range(12, 22)]
SITES = "site_id,name,timezone\nnorth,North,Europe/Berlin\nsouth,South,UTC\n"
SHIFTS = "site_id,shift_id,start_local,duration_minutes,valid_from,valid_to\n*,late,14:00,600,,\n"
OLD_SHIFTS = SHIFTS + "*,day,06:00,480,,\n"
NEW_SHIFTS = OLD_SHIFTS + "north,late,14:00,600,,\nnorth,day,06:00,480,,2026-01-18\nnorth,day,07:30,480,2026-01-19,\n"
NAMES = "site_id,worker_id,name\nnorth,W1,%s\n"

Marts = dict[str, list[str]]


@dataclass(frozen=True)
class Stage:
    """A plant that all tests copy and none changes, with its published content."""

    plant: Plant
    marts: Marts
    site: dict[str, str]


def change(plant: Plant, shifts: str = NEW_SHIFTS) -> None:
    """Drop the input of the next batch: late events of two days, events of a new day, a new name, a new calendar."""
    late = [EVENT % (f"01-{day}T09:00", "W1", 1, "idle", "north", 1) for day in (13, 20)]
    plant.drop("events/late.jsonl", "".join([*late, '{"worker_id": "W1"}\n']))
    plant.drop("events/new.jsonl", EVENT % ("01-22T10:00", "W3", 3, "working", "south", 2))
    plant.drop("registry/workers.csv", NAMES % "Another")
    plant.drop("registry/shifts.csv", shifts)


def copy_of(plant: Plant, folder: Path, **settings: Any) -> Plant:
    shutil.copytree(plant.settings.data_dir, folder, symlinks=True)
    return Plant(folder, **settings)


def marts_of(plant: Plant) -> Marts:
    names = sorted(path.stem for path in plant.settings.published_path.glob("*.parquet"))
    assert len(names) > 20
    return {name: bits(plant.mart(name)) for name in names}


def shown_on_site(plant: Plant) -> dict[str, str]:
    """The site manifest's parts, each by the hash of its content, and every answer of the metrics API."""
    data = plant.settings.site_path / "data"
    manifest = json.loads((data / "manifest.json").read_text())
    shown = {}
    for name, entry in manifest["tables"].items():
        for part, key in entry["parts"].items():
            assert (data / key / f"{name}.parquet").stat().st_size > 0
            shown[f"{name}/{part}"] = key
    for name, page in manifest["pages"].items():
        shown[f"page {name}"] = (data / page["key"] / f"{name}.json").read_text()
    api = plant.settings.site_path / "api/metrics"
    return shown | {path.relative_to(api).as_posix(): path.read_text() for path in api.rglob("*.json")}


def without_changes(shown: dict[str, str]) -> dict[str, str]:
    """The content of a site without the table of changed registries on Data health."""
    health = json.loads(shown["page health"])
    del health["registry_changes"]
    return shown | {"page health": json.dumps(health)}


@pytest.fixture(scope="module")
def killer() -> Iterator[Mortal]:
    with Mortal() as one:
        yield one


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shell(tmp_path_factory.mktemp("shell"), "one")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, killer: Mortal, shell: Path) -> Stage:
    """Ten days at two sites, built and published with the site."""
    plant = Plant(tmp_path_factory.mktemp("before"))
    plant.drop("registry/sites.csv", SITES)
    plant.drop("registry/shifts.csv", OLD_SHIFTS)
    plant.drop("registry/workers.csv", NAMES % "First")
    lines = [
        EVENT % (f"{day}T{time}", worker, station, event_type, site, 1)
        for day in DAYS
        for site in ("north", "south")
        for worker in ("W1", "W2")
        for time, station, event_type in (
            ("05:40", 1, "working"),
            ("06:10", 2, "idle"),
            ("15:20", 1, "product_count"),
            ("23:50", 1, "working"),
        )
    ]
    plant.drop("events/history.jsonl", "".join(lines))
    assert killer.run(plant, shell=shell) == 0
    return Stage(plant, marts_of(plant), shown_on_site(plant))


@pytest.fixture(scope="module")
def after(before: Stage, tmp_path_factory: pytest.TempPathFactory, killer: Mortal, shell: Path) -> Stage:
    """The same plant after an undisturbed next batch."""
    plant = copy_of(before.plant, tmp_path_factory.mktemp("after") / "plant")
    change(plant)
    assert killer.run(plant, shell=shell) == 0
    stage = Stage(plant, marts_of(plant), shown_on_site(plant))
    assert stage.marts["worker_shifts"] != before.marts["worker_shifts"]
    assert stage.site != before.site
    return stage


def model(name: str, event: str, sql: str = "") -> dict[str, Any]:
    return {"node": name, "event": event} | ({"sql": sql} if sql else {})


DONE, BEGUN, STATEMENT = "LogModelResult", "LogStartLine", "SQLQuery"
BUILDING = {
    "when the affected windows are listed": model("int_affected_windows", DONE),
    "inside a mart, between delete and insert": model("state_intervals", STATEMENT, "insert into"),
    "between two marts": model("worker_shifts", DONE),
    "while what was built is remembered": {"after": "orchestration.dbt.build_state.raw_state", "at": 1},
    "inside DuckDB's own writing": {"after": "orchestration.dbt.runner.begin_build", "file_bytes": 300_000},
    "inside judging": {"before": "quality.store.replace_incidents"},
}
PUBLISHING = {
    "while the marts are written": {"before": "publishing.versions._copy", "at": 9},
    "just before the switch": {"before": "publishing.versions.point_to"},
}
SHOWING = {
    "just after the switch": {"after": "publishing.versions.point_to"},
    "before old versions are removed": {"before": "publishing.versions._remove_old"},
    "just before the answers are switched": {"before": "reports.metrics_api.point_to"},
    "before the site's manifest": {"before": "reports.data._replace_manifest"},
    "before the site's old data are removed": {"before": "reports.data._remove_unnamed"},
}


@pytest.fixture(scope="module")
def ready(before: Stage, tmp_path_factory: pytest.TempPathFactory, killer: Mortal, shell: Path) -> Plant:
    """The same plant after a batch that was killed when everything was ready to be published."""
    plant = copy_of(before.plant, tmp_path_factory.mktemp("ready") / "plant")
    change(plant)
    assert killer.run(plant, shell=shell, before="publishing.versions.publish_marts") == -signal.SIGKILL
    return plant


def assert_as_before(plant: Plant, before: Stage) -> None:
    assert marts_of(plant) == before.marts
    assert shown_on_site(plant) == before.site


def assert_mended(plant: Plant, killer: Mortal, shell: Path, after: Stage) -> None:
    """Check that the next batch gives the result of an undisturbed one and leaves nothing unfinished."""
    assert killer.run(plant, shell=shell) == 0
    marts = marts_of(plant)
    for name, rows in after.marts.items():
        assert marts[name] == rows, name
    assert shown_on_site(plant) == after.site
    assert len(list((plant.settings.data_dir / VERSIONS_FOLDER).iterdir())) == KEPT_VERSIONS


@pytest.mark.slow
@pytest.mark.parametrize("point", BUILDING.values(), ids=BUILDING)
def test_a_batch_killed_while_it_computes_leaves_what_was_shown_and_the_next_one_mends_it(
    before: Stage, after: Stage, killer: Mortal, shell: Path, tmp_path: Path, point: dict[str, Any]
) -> None:
    plant = copy_of(before.plant, tmp_path / "plant")
    version = plant.settings.published_path.resolve().name
    change(plant)
    assert killer.run(plant, shell=shell, **point) == -(signal.SIGXFSZ if "file_bytes" in point else signal.SIGKILL)
    assert plant.settings.published_path.resolve().name == version
    assert_as_before(plant, before)
    assert_mended(plant, killer, shell, after)


@pytest.mark.slow
@pytest.mark.parametrize("point", PUBLISHING.values(), ids=PUBLISHING)
def test_a_batch_killed_before_the_switch_shows_the_version_before(
    before: Stage, after: Stage, ready: Plant, killer: Mortal, shell: Path, tmp_path: Path, point: dict[str, Any]
) -> None:
    plant = copy_of(ready, tmp_path / "plant")
    assert killer.run(plant, "show", shell, **point) == -signal.SIGKILL
    assert_as_before(plant, before)
    assert_mended(plant, killer, shell, after)


@pytest.mark.slow
@pytest.mark.parametrize("point", SHOWING.values(), ids=SHOWING)
def test_a_batch_killed_after_the_switch_shows_the_new_version_and_a_site_of_one_version(
    before: Stage, after: Stage, ready: Plant, killer: Mortal, shell: Path, tmp_path: Path, point: dict[str, Any]
) -> None:
    plant = copy_of(ready, tmp_path / "plant")
    assert killer.run(plant, "show", shell, **point) == -signal.SIGKILL
    assert marts_of(plant) == after.marts
    # Answers for programs and data for pages are switched one after the other, each as a whole.
    for is_answer in (True, False):
        shown, *known = (
            {name: text for name, text in site.items() if name.endswith(".json") == is_answer}
            for site in (shown_on_site(plant), before.site, after.site)
        )
        assert shown in known
    assert_mended(plant, killer, shell, after)


@pytest.mark.slow
def test_a_plant_whose_every_repair_is_killed_too_is_mended_in_the_end(
    before: Stage, after: Stage, killer: Mortal, shell: Path, tmp_path: Path
) -> None:
    plant = copy_of(before.plant, tmp_path / "plant")
    change(plant)
    for point in ("between two marts", "when the affected windows are listed", "inside judging"):
        assert killer.run(plant, shell=shell, **BUILDING[point]) == -signal.SIGKILL
        assert_as_before(plant, before)
    assert_mended(plant, killer, shell, after)


@pytest.mark.slow
def test_what_a_killed_batch_began_under_a_calendar_that_holds_no_more_is_taken_back(
    before: Stage, killer: Mortal, shell: Path, tmp_path: Path
) -> None:
    plant, undisturbed = copy_of(before.plant, tmp_path / "plant"), copy_of(before.plant, tmp_path / "undisturbed")
    change(plant)
    assert killer.run(plant, shell=shell, **BUILDING["between two marts"]) == -signal.SIGKILL
    # The new calendar was in force: one with less than four fifths of its rows needs a confirmation.
    plant.drop("registry/shifts.csv", OLD_SHIFTS)
    plant.drop("registry/shifts.csv.confirm", hash_of(OLD_SHIFTS.encode()))
    change(undisturbed, OLD_SHIFTS)
    assert killer.run(undisturbed, shell=shell) == 0
    assert killer.run(plant, shell=shell) == 0
    # The only difference is the record that the calendar changed twice.
    marts, undisturbed_marts = marts_of(plant), marts_of(undisturbed)
    assert len(marts.pop("registry_changes")) == len(undisturbed_marts.pop("registry_changes")) + 2
    for name, rows in undisturbed_marts.items():
        assert marts[name] == rows, name
    site, undisturbed_site = (
        {
            part: it
            for part, it in without_changes(shown_on_site(one)).items()
            if not part.startswith("registry_changes/")
        }
        for one in (plant, undisturbed)
    )
    assert site == undisturbed_site


@pytest.mark.slow
def test_a_killed_rebuild_is_followed_by_a_rebuild(before: Stage, killer: Mortal, shell: Path, tmp_path: Path) -> None:
    changed = copy_of(before.plant, tmp_path / "plant", last_event_minutes=20)
    assert killer.run(changed, shell=shell, **BUILDING["between two marts"]) == -signal.SIGKILL
    assert_as_before(changed, before)
    # Under the previous settings, the marts would be right if the killed batch had not begun.
    assert_mended(Plant(tmp_path / "plant"), killer, shell, before)
