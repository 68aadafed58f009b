"""API keys: which sites and cameras a key may write for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import SettingsError
from ingestion.intake.keys import Sender, hash_of, read_api_keys
from tests.ingestion.intake.running import RunningIntake, event, running_intake, start

COLUMNS = "site_id,camera_id,key_sha256"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIntake]:
    """An intake with four keys: for a site, a camera, every site, and the site of records without a site."""
    folder = tmp_path_factory.mktemp("guarded")
    keys = {
        "north": ("north", ""),
        "any": ("north", "*"),
        "gate": ("north", "gate"),
        "all": ("*", ""),
        "unnamed": ("default", ""),
    }
    lines = [COLUMNS, *(f"{site},{camera},{hash_of(key)}" for key, (site, camera) in keys.items())]
    (folder / "keys.csv").write_text("\n".join(lines))
    with running_intake(folder, api_keys_file=folder / "keys.csv") as running:
        yield running


@pytest.mark.parametrize("headers", [{}, {"X_API_Key": ""}, {"X_API_Key": "wrong"}, {"X_API_Key": hash_of("north")}])
def test_without_a_key_that_is_known_nothing_is_taken(guarded: RunningIntake, headers: dict[str, str]) -> None:
    before = guarded.stored_lines()
    for path, value in (("/api/events", event(site_id="north")), ("/api/events/batch", [event(site_id="north")])):
        answer = guarded.post(path, value, **headers)
        assert (answer.status, answer.json["reason"]) == (401, "unknown_api_key")
    assert guarded.stored_lines() == before


@pytest.mark.parametrize(
    ("key", "fields", "status"),
    [
        ("north", {"site_id": "north"}, 201),
        ("north", {"site_id": " north ", "camera_id": "any"}, 201),
        ("any", {"site_id": "north", "camera_id": "any"}, 201),
        ("any", {"site_id": "south"}, 403),
        ("north", {"site_id": "south"}, 403),
        ("north", {}, 403),
        ("gate", {"site_id": "north", "camera_id": "gate"}, 201),
        ("gate", {"site_id": "north", "camera_id": "door"}, 403),
        ("gate", {"site_id": "north"}, 403),
        ("all", {"site_id": "south", "camera_id": "any"}, 201),
        ("unnamed", {}, 201),
        ("north", {"site_id": "south", "count": -1}, 422),
    ],
)
def test_a_key_writes_its_own_site_and_camera_only(
    guarded: RunningIntake, key: str, fields: dict[str, Any], status: int
) -> None:
    before = len(guarded.stored_lines())
    answer = guarded.post("/api/events", event(**fields), X_API_Key=key)
    assert answer.status == status
    assert len(guarded.stored_lines()) == before + (status == 201)
    assert (answer.json.get("reason") in {"other_site", "other_camera"}) == (status == 403)


def test_in_a_batch_the_records_of_other_sites_are_refused_one_by_one(guarded: RunningIntake) -> None:
    mixed = [event(1, site_id="north"), event(2, site_id="south"), {}]
    answer = guarded.post("/api/events/batch", mixed, X_API_Key="north")
    assert answer.status == 207
    assert [one["status"] for one in answer.json["results"]] == [201, 403, 422]
    assert guarded.post("/api/events/batch", mixed[1:2], X_API_Key="north").status == 403


def test_health_and_description_need_no_key_and_the_description_names_the_header(guarded: RunningIntake) -> None:
    assert guarded.request("GET", "/health").status == 200
    described = guarded.request("GET", "/openapi.json").json
    assert described["components"]["securitySchemes"]["ApiKey"]["name"] == "X-API-Key"
    assert described["paths"]["/api/events"]["post"]["security"] == [{"ApiKey": []}]


def test_a_page_of_another_server_may_not_write_through_its_readers_browser(intake: RunningIntake) -> None:
    own = f"http://127.0.0.1:{intake.port}"
    assert intake.post("/api/events", event(), Origin="http://elsewhere.example").status == 403
    assert intake.post("/api/events", event(), Origin="null").status == 403
    assert intake.post("/api/events", event(), Origin=own).status == 201


def test_a_new_key_is_printed_once_and_its_line_lets_its_camera_in(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "ingestion.intake.keys", "--site", "north, hall 2", "--camera", "gate"],
        capture_output=True,
        text=True,
        check=True,
    )
    key = made.stderr.strip().rpartition(" ")[2]
    (tmp_path / "keys.csv").write_text(f"{COLUMNS}\n{made.stdout}")
    assert read_api_keys(tmp_path / "keys.csv").sender_of(key) == Sender("north, hall 2", "gate")
    assert key not in made.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "No such file"),
        ("", "line 1: the columns are None"),
        ("site,key\n", "line 1: the columns are"),
        (f"{COLUMNS}\n", "has no API keys"),
        (f"{COLUMNS}\nnorth,,secret\n", "line 2: key_sha256 is 'secret'"),
        (f"{COLUMNS}\n\n,,{'a' * 64}\n", "line 3: site_id is empty"),
        (f"{COLUMNS}\nnorth,1,{'a' * 64}\nnorth,2,{'a' * 64}\n", f"{'a' * 64} on two lines"),
        (f"{COLUMNS}\nnorth\n", "line 2: the line has not three columns"),
        (f"{COLUMNS}\nnorth,,{'a' * 64},more\n", "line 2: the line has not three columns"),
    ],
)
def test_a_file_of_keys_that_cannot_be_right_stops_the_start_with_one_sentence(
    tmp_path: Path, text: str | None, sentence: str
) -> None:
    path = tmp_path / "keys.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as error:
        read_api_keys(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_without_keys_an_intake_starts_only_where_the_setting_names_it(tmp_path: Path, host: str) -> None:
    process = start(tmp_path, "--host", host, "--port", "0", allow_without_key="")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.count("\n") == 1
    assert "FLOORHOUSE_INTAKE_API_KEYS_FILE" in output
    assert "FLOORHOUSE_INTAKE_ALLOW_WITHOUT_KEY=yes" in output
