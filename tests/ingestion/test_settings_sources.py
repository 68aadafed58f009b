"""Arguments, environment, floorhouse.toml, defaults: which one wins, and the messages about a wrong name or value."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from ingestion import variables
from ingestion.bridge.settings import BridgeSettings
from ingestion.edge.settings import EdgeSettings, read_edge_settings
from ingestion.errors import SettingsError
from ingestion.intake.settings import IntakeSettings, read_intake_settings
from ingestion.settings import Settings, read_report_settings, read_settings
from ingestion.settings_sources import FrozenSettings, gather, read_model, variable_of
from quality.alerts.settings import AlertSettings, read_alert_settings

KEY = "a key that is long enough for a plant"


def environment_of(folder: Path, content: str = "", **variables: str) -> dict[str, str]:
    """The environment of a plant whose data folder has a settings file with this content."""
    if content:
        (folder / "floorhouse.toml").write_text(content, encoding="utf-8")
    return {"FLOORHOUSE_DATA_DIR": str(folder), **variables}


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (Settings, variables.PLANT),
        (AlertSettings, variables.ALERT),
        (IntakeSettings, variables.INTAKE),
        (BridgeSettings, variables.BRIDGE),
    ],
)
def test_the_known_names_are_those_of_the_settings_classes(model: type[FrozenSettings], names: frozenset[str]) -> None:
    assert {variable_of(model, name) for name in model.model_fields} == {variables.PREFIX + name for name in names}


def test_the_known_names_of_the_edge_uploader_are_its_fields() -> None:
    assert {f"EDGE_{one.name.upper()}" for one in fields(EdgeSettings)} == variables.EDGE


@pytest.mark.parametrize("read", [read_settings, read_report_settings, read_alert_settings, read_edge_settings])
@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("FLOORHOUSE_WORKER_IDENTITI", "FLOORHOUSE_WORKER_IDENTITY"),
        ("FLOORHOUSE_ALRT_WEBHOOK_URL", "FLOORHOUSE_ALERT_WEBHOOK_URL"),
        ("floorhouse_data", "FLOORHOUSE_DATA_DIR"),
        ("FLOORHOUSE_EDGE_SPOOL", "FLOORHOUSE_EDGE_SPOOL_DIR"),
    ],
)
def test_a_variable_that_no_program_knows_is_refused_with_the_nearest_name(read: object, name: str, near: str) -> None:
    assert callable(read)
    with pytest.raises(SettingsError) as error:
        read({name: ""})
    assert str(error.value) == f"{name} is no setting of Floorhouse; the nearest name is {near}."


def test_what_only_the_containers_and_dbt_read_is_known_everywhere() -> None:
    known = {
        "FLOORHOUSE_BIND_ADDRESS": "::1",
        "FLOORHOUSE_WAREHOUSE": "w",
        "FLOORHOUSE_DATABASE_MEMORY": "900MB",
        "FLOORHOUSE_EDGE_SITE_ID": "n",
        "OTHER": "1",
    }
    assert read_settings(known) == read_settings({})


def test_the_file_in_the_data_folder_sets_what_the_environment_leaves_unset(tmp_path: Path) -> None:
    content = """
        last_event_minutes = 45
        min_group = 7
        worker_identity = " aggregate "
        max_state_minutes = ""
        [alert]
        smtp_port = 25
        [intake]
        port = 9000
        allow_without_key = true
    """
    given = environment_of(tmp_path, content, FLOORHOUSE_MIN_GROUP="9", FLOORHOUSE_LAST_EVENT_MINUTES=" ")
    settings = read_settings(given)
    assert (settings.last_event_minutes, settings.min_group, settings.worker_identity) == (45, 9, "aggregate")
    assert settings.max_state_minutes is None
    assert read_alert_settings(given).smtp_port == 25
    assert read_intake_settings(given).port == 9000
    assert read_intake_settings(given, port=9001).port == 9001
    assert {name: one.source for name, one in gather(Settings, given).items()} == {
        "data_dir": "environment",
        "min_group": "environment",
        "last_event_minutes": "floorhouse.toml",
        "worker_identity": "floorhouse.toml",
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("min_groop = 7", "min_groop is no setting; the nearest name is min_group."),
        ("[alert]\nsmtp_hots = 'x'", "alert.smtp_hots is no setting; the nearest name is smtp_host."),
        ("[alerts]\nsmtp_host = 'x'", "alerts is no setting; the nearest name is [alert]."),
        ("data_dir = '/x'", "data_dir cannot stand here, as it says where this file is; set FLOORHOUSE_DATA_DIR."),
        ("min_group = 1", "min_group is '1'; allowed: a whole number of workers from 2 to 1000."),
        ("min_group = true", "min_group is 'true'; allowed: a whole number of workers from 2 to 1000."),
        ("min_group = [7]", "min_group is [7]; allowed: a whole number of workers from 2 to 1000."),
        ("review_fraction = nan", "review_fraction is 'nan'; allowed: a number from 0 to 1."),
    ],
)
def test_a_wrong_key_or_value_names_file_key_and_value(content: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(environment_of(tmp_path, content))
    assert str(error.value) == f"{tmp_path / 'floorhouse.toml'}: {sentence}"


def test_a_wrong_value_of_another_program_stops_only_that_program(tmp_path: Path) -> None:
    given = environment_of(tmp_path, "worker_identity = 'pseudonym'\n[alert]\nsmtp_port = 0")
    assert read_report_settings(given).data_dir == tmp_path
    with pytest.raises(SettingsError, match=r"floorhouse\.toml: alert\.smtp_port is '0'"):
        read_alert_settings(given)
    with pytest.raises(SettingsError, match=r"floorhouse\.toml: worker_identity is 'pseudonym'"):
        read_settings(given)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^The settings file .*floorhouse\.toml is no TOML: .*line 1"):
        read_settings(environment_of(tmp_path, "min_group 7"))
    (tmp_path / "floorhouse.toml").unlink()
    (tmp_path / "floorhouse.toml").mkdir()
    with pytest.raises(SettingsError, match=r"^The settings file .*floorhouse\.toml cannot be read: Is a directory\.$"):
        read_settings(environment_of(tmp_path))


def test_a_secret_of_the_environment_wins_in_either_form_and_is_shown_in_none(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    content = "pseudonym_key = 'another key, long enough for a plant'"
    given = environment_of(tmp_path, content, FLOORHOUSE_PSEUDONYM_KEY_FILE=str(tmp_path / "key"))
    assert read_settings(given).secret_key == KEY.encode()
    with pytest.raises(SettingsError, match="pseudonym_key is not shown here"):
        read_settings(environment_of(tmp_path, "pseudonym_key = 'short and secret'"))


def test_a_webhook_and_a_password_may_lie_in_files(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("https://hooks.example/x\n")
    (tmp_path / "password").write_text("pässword\n")
    named = {
        "FLOORHOUSE_ALERT_WEBHOOK_URL_FILE": str(tmp_path / "hook"),
        "FLOORHOUSE_ALERT_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
    }
    settings = read_alert_settings(named)
    assert (settings.webhook, settings.password, settings.sinks) == (
        "https://hooks.example/x", "pässword", ("file", "webhook"),
    )  # fmt: skip
    (tmp_path / "hook").write_text("hooks")
    with pytest.raises(SettingsError, match=r"WEBHOOK_URL_FILE is .*; allowed: a file that holds the https"):
        read_alert_settings(named)


def test_a_refused_address_is_named_without_its_login() -> None:
    with pytest.raises(SettingsError) as refused:
        read_model(BridgeSettings, {"FLOORHOUSE_BRIDGE_BROKER_URL": "mqtt://line:s3cret@p/w@broker:1883"})
    assert "FLOORHOUSE_BRIDGE_BROKER_URL is 'mqtt://…@broker:1883'" in str(refused.value)
    assert "s3cret" not in str(refused.value)
