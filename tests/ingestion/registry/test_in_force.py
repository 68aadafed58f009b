"""Which version of a registry is in force, and the messages about refused ones."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import RegistryError
from ingestion.registry import in_force
from ingestion.registry.content import hash_of
from tests.plant import NOW, Plant

SITES = "site_id,name,timezone\ndefault,Plant,Europe/Berlin\n"
SHIFTS = "site_id,shift_id,start_local,duration_minutes\n*,day,06:00,480\n*,evening,14:00,480\n*,night,22:00,480\n"
WORKERS = "site_id,worker_id,name\n" + "".join(f"default,W{n},Worker {n}\n" for n in range(1, 41))


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A plant with good registries in force."""
    plant = Plant(tmp_path)
    for name, content in (("sites", SITES), ("shifts", SHIFTS), ("workers", WORKERS)):
        plant.drop(f"registry/{name}.csv", content)
    plant.drop("events/none.jsonl", "")
    plant.land()
    return plant


def land(plant: Plant, now: datetime = NOW) -> list[str]:
    told: list[str] = []
    plant.land(now, told.append)
    return [line for line in told if "registry/" in line]


def refusals(plant: Plant) -> dict[str, str]:
    return {row["file"]: row["sentence"] for row in plant.raw("registry_refusals")}


def changes(plant: Plant) -> list[dict[str, Any]]:
    return plant.query("from warehouse.raw.registry_versions order by number", attach=True)


def workers(count: int) -> str:
    return "".join(WORKERS.splitlines(keepends=True)[: count + 1])


def test_first_versions_are_logged_and_the_same_files_again_are_not(plant: Plant) -> None:
    assert [(row["file"], row["site_id"], row["line_count"], row["change"]) for row in changes(plant)] == [
        ("sites.csv", "default", 1, "First version, 1 site."),
        ("shifts.csv", "*", 3, "First version, 3 shifts."),
        ("workers.csv", "default", 40, "First version, 40 workers."),
    ]
    assert land(plant) == []
    assert len(changes(plant)) == 3


def test_a_change_takes_effect_and_is_logged_in_one_line(plant: Plant) -> None:
    plant.drop("registry/shifts.csv", SHIFTS.replace("06:00", "07:00").replace("night,22:00,480", "night,22:00,420"))
    told = "Changed: day 06:00 → 07:00, night 480 → 420 min."
    assert land(plant) == [f"registry/shifts.csv has a new version in force. {told}"]
    assert changes(plant)[-1]["change"] == told
    assert [row["start_local"] for row in plant.raw("shifts")] == ["07:00", "14:00", "22:00"]


def test_other_bytes_of_the_same_rows_are_no_change(plant: Plant) -> None:
    plant.drop("registry/workers.csv", "sep=;\n" + WORKERS.replace(",", ";"))
    assert land(plant) == []
    assert len(changes(plant)) == 3


def test_files_that_were_cut_keep_their_last_good_versions(plant: Plant) -> None:
    rows = {name: plant.raw(name) for name in ("sites", "shifts", "workers")}
    plant.drop("registry/sites.csv", "site_id,name,timezone\n")
    plant.drop("registry/shifts.csv", SHIFTS[:-3])
    plant.drop("registry/workers.csv", "site_id,worker_id,name\ndefault,W1,Worker 1\ndefault,W2,Worker 2\ndefault,W3")
    told = land(plant)

    assert {name: plant.raw(name) for name in rows} == rows
    assert sorted(told) == sorted(refusals(plant).values())
    since = "the version of 2026-03-01 00:00 UTC stays in force"
    assert refusals(plant)["sites.csv"].startswith(
        f"registry/sites.csv ends on line 1 with 0 rows, while 1 are in force; {since}. "
        "It would change: 1 of 1 sites gone. If that is meant, write "
    )
    assert refusals(plant)["shifts.csv"].startswith(
        f"registry/shifts.csv, line 4: it ends within a value, as if it had been cut off; {since}. "
        "It would change: night 480 → 4 min. If that is meant, write "
    )
    assert (
        "It would change: 37 of 40 workers would become unregistered, 1 worker renamed."
        in refusals(plant)["workers.csv"]
    )


def test_a_wrong_row_keeps_the_version_in_force_and_says_what_would_change(plant: Plant) -> None:
    long = "W" * 70
    plant.drop("registry/workers.csv", WORKERS.replace("W2,", f"{long},").replace("Worker 1\n", "First\n"))
    land(plant)
    assert refusals(plant)["workers.csv"] == (
        f"registry/workers.csv, line 3: worker_id is '{long}'; expected a text of 1 to 64 characters; the version "
        "of 2026-03-01 00:00 UTC stays in force. It would change: 1 of 40 workers would become unregistered, "
        "1 worker renamed."
    )
    assert len(plant.raw("workers")) == 40
    plant.drop("registry/workers.csv", WORKERS.replace("Worker 1\n", "First\n"))
    assert land(plant) == ["registry/workers.csv has a new version in force. Changed: 1 worker renamed."]
    assert refusals(plant) == {}


@pytest.mark.parametrize(("count", "is_taken"), [(40, True), (33, True), (32, True), (31, False), (0, False)])
def test_four_fifths_of_the_rows_must_be_there(plant: Plant, count: int, is_taken: bool) -> None:
    plant.drop("registry/workers.csv", workers(count))
    land(plant)
    assert len(plant.raw("workers")) == (count if is_taken else 40)


def test_rows_are_counted_by_their_keys(plant: Plant) -> None:
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n" + "default,W1,Worker 1\n" * 40)
    land(plant)
    assert len(plant.raw("workers")) == 40
    assert "with 1 rows, while 40 are in force" in refusals(plant)["workers.csv"]


def test_a_column_of_the_version_in_force_must_be_there(plant: Plant) -> None:
    header, *rows = SHIFTS.splitlines()
    plant.drop("registry/shifts.csv", "\n".join([f"{header},weekdays", *(f"{row},mon-fri" for row in rows)]) + "\n")
    assert land(plant)[0].endswith(
        "Changed: day weekdays every day → mon,tue,wed,thu,fri, evening weekdays every day → mon,tue,wed,thu,fri, "
        "night weekdays every day → mon,tue,wed,thu,fri."
    )
    plant.drop("registry/shifts.csv", SHIFTS)
    assert land(plant)[0].startswith(
        "registry/shifts.csv, line 1: the column weekdays of the version in force is missing; the version of "
    )
    plant.drop("registry/shifts.csv.confirm", hash_of(SHIFTS.encode()))
    land(plant)
    assert {row["weekdays"] for row in plant.raw("shifts")} == {None}


def test_a_file_that_is_gone_keeps_its_version_until_that_is_confirmed(plant: Plant) -> None:
    (plant.landing / "registry/workers.csv").unlink()
    land(plant)
    asked = hash_of(WORKERS.encode())
    assert refusals(plant)["workers.csv"] == (
        "registry/workers.csv is gone; the version of 2026-03-01 00:00 UTC stays in force. It would change: "
        f"40 of 40 workers would become unregistered. If that is meant, write {asked} into "
        "registry/workers.csv.confirm."
    )
    assert len(plant.raw("workers")) == 40
    plant.drop("registry/workers.csv.confirm", f"{asked}\n")
    assert land(plant) == [
        "registry/workers.csv has a new version in force. Changed: 40 of 40 workers became unregistered."
    ]
    assert plant.raw("workers") == []
    assert land(plant) == []
    plant.drop("registry/workers.csv", workers(2))
    assert land(plant) == ["registry/workers.csv has a new version in force. Changed: 2 workers added."]


def test_what_stands_in_place_of_a_file_is_named_and_the_version_in_force_stays(plant: Plant) -> None:
    path = plant.landing / "registry/workers.csv"
    path.unlink()
    plant.drop("registry/workers.csv/workers.csv", WORKERS)
    told = land(plant)
    assert told[0].startswith("registry/workers.csv/workers.csv is no registry and is ignored")
    assert told[1].startswith("registry/workers.csv is a folder; the version of ")
    shutil.rmtree(path)
    path.symlink_to(plant.drop("workers.csv", WORKERS))
    assert land(plant)[0].startswith("registry/workers.csv is a link, which is not followed; the version of ")
    assert len(plant.raw("workers")) == 40


def test_a_wrong_contact_is_not_quoted_where_persons_are_not_named(tmp_path: Path) -> None:
    plant = Plant(tmp_path, worker_identity="pseudonym", pseudonym_key="a d1fferent K3y, as long 0ne XwQ7")
    plant.drop("events/none.jsonl", "")
    plant.drop("registry/contacts.csv", f"site_id,name,phone\nA,Jane Doe,{'1' * 65}\n")
    with pytest.raises(RegistryError) as stopped:
        plant.land()
    assert str(stopped.value) == (
        "registry/contacts.csv, line 2: a value that cannot be right (not shown, as it may name a person)."
    )


@pytest.mark.parametrize("word", ["{}", "{}\r\n", '"{}"', "sha: {}", "\ufeff{}"])
def test_the_hash_of_the_message_confirms_what_shrank(plant: Plant, word: str) -> None:
    plant.drop("registry/workers.csv", workers(2))
    land(plant)
    plant.drop("registry/workers.csv.confirm", word.format(hash_of(workers(2).encode())))
    assert land(plant) == [
        "registry/workers.csv has a new version in force. Changed: 38 of 40 workers became unregistered."
    ]
    assert refusals(plant) == {}


def test_a_confirmation_holds_once(plant: Plant) -> None:
    path = plant.landing / "registry/workers.csv"
    confirmation, confirmed = plant.landing / "registry/workers.csv.confirm", hash_of(workers(0).encode())
    plant.drop("registry/workers.csv", workers(0))
    land(plant)
    plant.drop("registry/workers.csv.confirm", confirmed)
    os.utime(confirmation, (1_800_000_000, 1_800_000_000))
    land(plant)
    assert plant.raw("workers") == []
    plant.drop("registry/workers.csv", WORKERS)
    land(plant)

    # emptied once more, and gone once more: what lies there since the first time confirms neither
    plant.drop("registry/workers.csv", workers(0))
    told = land(plant)
    assert told[0] == "registry/workers.csv.confirm was written before this change and does not confirm it"
    assert told[1].endswith(f"If that is meant, write {confirmed} into registry/workers.csv.confirm once more.")
    assert len(plant.raw("workers")) == 40
    os.utime(confirmation, (1_800_000_001, 1_800_000_001))
    land(plant)
    assert plant.raw("workers") == []
    path.unlink()
    land(plant)
    assert "workers.csv" in refusals(plant)


def test_a_confirmation_beside_a_file_of_which_nothing_is_refused_is_spent(plant: Plant) -> None:
    # as where a warehouse was lost, or the file was put right before the next batch
    plant.drop("registry/workers.csv.confirm", hash_of(workers(0).encode()))
    land(plant)
    plant.drop("registry/workers.csv", workers(0))
    land(plant)
    assert len(plant.raw("workers")) == 40


@pytest.mark.parametrize("content", ["", "yes", hash_of(WORKERS.encode()), b"\xff\xff"])
def test_another_hash_confirms_nothing_and_that_is_said(plant: Plant, content: str | bytes) -> None:
    plant.drop("registry/workers.csv", workers(2))
    plant.drop("registry/workers.csv.confirm", content)
    asked = hash_of(workers(2).encode())
    assert f"registry/workers.csv.confirm does not hold {asked}, the hash of what is refused" in land(plant)
    assert len(plant.raw("workers")) == 40


def test_rows_that_cannot_be_right_are_never_confirmed(plant: Plant) -> None:
    wrong = SHIFTS.replace("480", "4800")
    plant.drop("registry/shifts.csv", wrong)
    plant.drop("registry/shifts.csv.confirm", hash_of(wrong.encode()))
    land(plant)
    assert {row["duration_minutes"] for row in plant.raw("shifts")} == {480}
    assert "confirm" not in refusals(plant)["shifts.csv"]


def test_what_looks_cut_off_takes_effect_if_it_is_written_again_an_hour_later(plant: Plant) -> None:
    path = plant.drop("registry/shifts.csv", SHIFTS[:-3])
    os.utime(path, (1_800_000_000, 1_800_000_000))
    land(plant)
    land(plant, NOW + timedelta(hours=2))
    assert "shifts.csv" in refusals(plant)
    os.utime(path, (1_800_003_600, 1_800_003_600))
    assert land(plant, NOW + timedelta(hours=2)) == [
        "registry/shifts.csv has a new version in force. Changed: night 480 → 4 min."
    ]


@pytest.mark.parametrize(
    "content",
    [
        SHIFTS.replace("22:00,480", "22:00,48").rstrip("\n") + "\n",  # its last line is complete
        SHIFTS.replace("22:00,480", "22:00,540").rstrip("\n"),  # the value is not the beginning of the old one
        SHIFTS.replace("06:00", "05:00").rstrip("\n"),  # complete except for the last line break
    ],
)
def test_what_does_not_look_cut_off_takes_effect(plant: Plant, content: str) -> None:
    plant.drop("registry/shifts.csv", content)
    land(plant)
    assert refusals(plant) == {}
    assert changes(plant)[-1]["file"] == "shifts.csv"


def test_several_wrong_files_are_all_named_and_a_good_one_takes_effect(plant: Plant) -> None:
    plant.drop("registry/sites.csv", SITES.replace("Europe/Berlin", "CET"))
    plant.drop("registry/shifts.csv", SHIFTS.encode("utf-16")[:-1])
    plant.drop("registry/workers.csv", WORKERS + "default,W41,Worker 41\n")
    told = land(plant)
    assert [line.partition(",")[0].partition(" ")[0] for line in told] == [
        "registry/sites.csv",
        "registry/shifts.csv",
        "registry/workers.csv",
    ]
    assert set(refusals(plant)) == {"sites.csv", "shifts.csv"}
    assert len(plant.raw("workers")) == 41


def test_a_refusal_lasts_from_its_first_batch_until_the_file_is_right(plant: Plant) -> None:
    plant.drop("registry/workers.csv", workers(2))
    land(plant, NOW + timedelta(days=1))
    plant.drop("registry/workers.csv", workers(3))
    land(plant, NOW + timedelta(days=2))
    noted = plant.raw("registry_refusals")
    assert [(row["refused_at"].astimezone(UTC), row["content_hash"]) for row in noted] == [
        (NOW + timedelta(days=1), hash_of(workers(3).encode()))
    ]
    plant.drop("registry/workers.csv", WORKERS)
    assert land(plant) == []
    assert refusals(plant) == {}


def test_a_first_version_that_is_wrong_stops_the_batch(plant: Plant) -> None:
    plant.drop("registry/targets.csv", "site_id,workstation_id,shift_id,units_per_hour\n,S1,day,none\n")
    event = plant.drop("events/a.jsonl", "{}\n")
    with pytest.raises(RegistryError, match=r"^registry/targets.csv, line 2: units_per_hour is 'none'; "):
        plant.land()
    assert event.exists()


def test_what_is_no_registry_is_named_and_mappings_are_not(plant: Plant) -> None:
    meant = {
        "sites (1).csv": "registries are read from registry/sites.csv",
        "Workers.csv": "registries are read from registry/workers.csv",
        "workers - Kopie.csv": "registries are read from registry/workers.csv",
        "sites.csv.txt": "registries are read from registry/sites.csv",
        "~$shifts.xlsx": "registries are read from registry/shifts.csv",
        "tagets.csv": "registries are read from registry/targets.csv",
        "workers.csv.confirm.txt": "a confirmation is read from registry/workers.csv.confirm",
        "notes.txt": "",
    }
    for name in (*meant, "mappings/line.sql"):
        plant.drop(f"registry/{name}", "select position from records")
    named = [line for line in land(plant) if "version" not in line]
    assert named == [
        f"registry/{name} is no registry and is ignored{'; ' * bool(hint)}{hint}"
        for name, hint in sorted(meant.items())
    ]


def test_a_file_counts_when_it_has_been_left_alone(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sites", "shifts"):
        os.utime(plant.landing / f"registry/{name}.csv", (1, 1))
    path = plant.drop("registry/workers.csv", WORKERS + "default,W41,Worker 41\n")
    now = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    waits: list[float] = []
    monkeypatch.setattr("ingestion.registry.in_force.time.sleep", waits.append)
    told = land(plant, now + timedelta(seconds=1))
    assert waits == [5]
    assert told[0] == "waiting 5 s for registry/workers.csv to be left alone"
    assert len(plant.raw("workers")) == 41

    def go_on_writing(_: float) -> None:
        plant.drop("registry/workers.csv", WORKERS + "default,W41,Worker 41\ndefault,W42,Wor")

    path = plant.drop("registry/workers.csv", WORKERS + "default,W41,Worker 41\ndefault,W42")
    monkeypatch.setattr("ingestion.registry.in_force.time.sleep", go_on_writing)
    told = land(plant, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    assert told[1] == (
        "registry/workers.csv is still being written; the version in force stays until it has been left alone for 5 s"
    )
    assert len(plant.raw("workers")) == 41


def test_under_pseudonyms_nothing_that_may_name_a_person_is_logged(tmp_path: Path) -> None:
    plant = Plant(tmp_path, worker_identity="pseudonym", pseudonym_key="a key that is long enough for a plant")
    plant.drop("registry/workers.csv", WORKERS)
    plant.drop("events/none.jsonl", "")
    plant.land()
    plant.drop("registry/workers.csv", "name,site_id,worker_id\nJane Doe,default,W1,Miller\n")
    told = land(plant)
    assert told == list(refusals(plant).values())
    assert "Miller" not in told[0]
    assert told[0].startswith("registry/workers.csv, line 2: a value that cannot be right (not shown")
    plant.drop("registry/workers.csv", workers(39))
    land(plant)
    assert changes(plant)[-1]["change"] == "Changed: 1 of 40 workers became unregistered."


def test_a_registry_that_may_not_be_read_any_more_stays_in_force(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion.registry.bucket_files import Unreadable

    def unreadable(_: object, key: str) -> bytes:
        raise Unreadable(f"{key} cannot be read: this user may not read it, or it has just been removed.")

    monkeypatch.setattr(in_force, "fetch_content", unreadable)
    land(plant)
    assert len(plant.raw("workers")) == 40
    assert set(refusals(plant)) == {"sites.csv", "shifts.csv", "workers.csv"}


def test_a_warehouse_that_noted_no_versions_has_its_rows_in_force(plant: Plant) -> None:
    import duckdb

    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("delete from raw.registry_files; delete from raw.registry_versions")
    plant.drop("registry/workers.csv", workers(2))
    shutil.rmtree(plant.landing / "archive", ignore_errors=True)
    land(plant)
    assert len(plant.raw("workers")) == 40
    assert "; the version stays in force. " in refusals(plant)["workers.csv"]
    assert [row["file"] for row in changes(plant)] == ["sites.csv", "shifts.csv"]


def test_booked_counts_grow_are_corrected_and_keep_their_last_good_version(plant: Plant) -> None:
    head = "site_id,workstation_id,shift_date,shift_id,units\n"
    first = head + "".join(f"default,S1,2026-03-{day:02},day,{day}\n" for day in range(1, 11))
    plant.drop("registry/booked.csv", first)
    assert land(plant) == ["registry/booked.csv has a new version in force. First version, 10 booked counts."]
    assert land(plant) == []

    plant.drop("registry/booked.csv", first + "default,S1,2026-03-11,day,11\ndefault,S1,2026-03-03,day,30\n")
    (told,) = land(plant)
    assert told.endswith("Changed: S1 2026-03-03 day units 3 → 30, 1 booked count added.")

    plant.drop("registry/booked.csv", head + "default,S1,2026-03-11,day,11\n")
    land(plant)
    assert len(plant.raw("booked")) == 11
    assert set(refusals(plant)) == {"booked.csv"}
    plant.drop("registry/booked.csv", first + "default,S1,2026-03-11,day,11\ndefault,S1,2026-03-03,day,30\n")
    land(plant)
    assert refusals(plant) == {}
    assert sum(row["units"] for row in plant.raw("booked")) == 66 - 3 + 30
