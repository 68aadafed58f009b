from dataclasses import fields
from pathlib import Path

import pytest

from ingestion.edge.settings import EdgeSettings, read_edge_settings
from ingestion.errors import SettingsError


def test_without_any_variable_the_defaults_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_edge_settings({"FLOORHOUSE_EDGE_CAMERA_ID": " ", "FLOORHOUSE_DATA_DIR": "elsewhere"})
    assert settings.spool_dir == tmp_path / "edge-spool"
    assert settings.inbox_dir == tmp_path / "edge-spool" / "inbox"
    assert (settings.site_id, settings.camera_id, settings.when_full) == ("default", "unknown", "refuse")


def test_values_are_read_into_their_types(tmp_path: Path) -> None:
    variables = {"SPOOL_DIR": str(tmp_path), "OBJECT_MAX_EVENTS": "7", "POLL_SECONDS": "0.25", "SITE_ID": " north "}
    settings = read_edge_settings({f"FLOORHOUSE_EDGE_{name}": value for name, value in variables.items()})
    assert (settings.spool_dir, settings.object_max_events, settings.poll_seconds) == (tmp_path, 7, 0.25)
    assert settings.site_id == "north"


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("TARGET_URL", "landing", "file:///folder or s3://bucket/prefix"),
        ("TARGET_URL", "s3:///prefix", "file:///folder or s3://bucket/prefix"),
        ("SPOOL_DIR", __file__, "the path of a folder"),
        ("SITE_ID", "a/b", "a text of 1 to 64 characters without slashes and control characters"),
        ("OBJECT_MAX_BYTES", "255", "a whole number of bytes, at least 256"),
        ("OBJECT_MAX_EVENTS", "2.5", "a whole number of events, at least 1"),
        ("SPOOL_MAX_BYTES", "-1", "a whole number of bytes, at least 256"),
        ("SPOOL_MAX_BYTES", "1000", "at least FLOORHOUSE_EDGE_OBJECT_MAX_BYTES in whole blocks of the disk (1048576)"),
        ("RETRY_MAX_SECONDS", "0.5", "at least FLOORHOUSE_EDGE_RETRY_BASE_SECONDS (1)"),
        ("OBJECT_MAX_AGE_SECONDS", "nan", "a number of seconds above 0, at most 86400"),
        ("POLL_SECONDS", "0", "a number of seconds above 0, at most 86400"),
        ("WHEN_FULL", "panic", "refuse or drop_oldest"),
    ],
)
def test_a_bad_value_is_one_sentence_with_variable_value_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as error:
        read_edge_settings({f"FLOORHOUSE_EDGE_{variable}": value})
    assert str(error.value) == f"FLOORHOUSE_EDGE_{variable} is {value!r}; allowed: {allowed}."


def test_a_misspelt_variable_is_not_passed_over() -> None:
    with pytest.raises(SettingsError, match="FLOORHOUSE_EDGE_SPOOL_MAX_BYTE is no setting"):
        read_edge_settings({"FLOORHOUSE_EDGE_SPOOL_MAX_BYTE": "1000000"})


def test_settings_made_in_python_are_checked_too() -> None:
    with pytest.raises(SettingsError, match="FLOORHOUSE_EDGE_OBJECT_MAX_EVENTS is '0'"):
        EdgeSettings(object_max_events=0)


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[3] / "ingestion" / "edge" / "README.md").read_text()
    assert [one.name for one in fields(EdgeSettings) if f"`{one.name.upper()}`" not in readme] == []


def test_a_target_is_only_needed_to_upload() -> None:
    with pytest.raises(SettingsError, match="FLOORHOUSE_EDGE_TARGET_URL is not set"):
        read_edge_settings({}).require_target()
