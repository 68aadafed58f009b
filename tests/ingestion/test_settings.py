from pathlib import Path

import pytest

from ingestion.errors import SettingsError
from ingestion.settings import read_settings


def test_without_any_variable_the_contracts_defaults_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert settings.data_dir == tmp_path / "data"
    assert settings.landing_url == f"file://{tmp_path}/data/landing"
    assert (settings.landed_objects, settings.review_fraction) == ("archive", 0.01)
    assert (settings.last_event_minutes, settings.max_state_minutes) == (30, None)


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read_settings({"FLOORHOUSE_MAX_STATE_MINUTES": " "}).max_state_minutes is None


def test_the_landing_folder_follows_the_data_folder_and_may_have_spaces(tmp_path: Path) -> None:
    settings = read_settings({"FLOORHOUSE_DATA_DIR": str(tmp_path / "line 1")})
    assert settings.landing_url == f"file://{tmp_path}/line%201/landing"


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("FLOORHOUSE_LANDED_OBJECTS", "delete", "archive or keep"),
        ("FLOORHOUSE_LAST_EVENT_MINUTES", "0", "a number of minutes above 0, at most 1440"),
        ("FLOORHOUSE_LAST_EVENT_MINUTES", "half an hour", "a number of minutes above 0, at most 1440"),
        ("FLOORHOUSE_LAST_EVENT_MINUTES", "nan", "a number of minutes above 0, at most 1440"),
        ("FLOORHOUSE_MAX_STATE_MINUTES", "-5", "unset, or a number of minutes above 0, at most 1440"),
        ("FLOORHOUSE_REVIEW_FRACTION", "1.5", "a number from 0 to 1"),
        ("FLOORHOUSE_LANDING_URL", "landing", "file:///folder or s3://bucket/prefix"),
        ("FLOORHOUSE_LANDING_URL", "s3:///prefix", "file:///folder or s3://bucket/prefix"),
        ("FLOORHOUSE_LANDING_URL", "file://relative/folder", "file:///folder or s3://bucket/prefix"),
        ("FLOORHOUSE_DATA_DIR", __file__, "the path of a folder"),
    ],
)
def test_a_bad_value_is_one_sentence_with_variable_value_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({variable: value})
    assert str(error.value) == f"{variable} is {value!r}; allowed is {allowed}."
