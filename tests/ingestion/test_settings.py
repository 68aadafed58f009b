import secrets
from pathlib import Path

import pytest

from ingestion.errors import SettingsError
from ingestion.settings import is_weak, read_settings


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


RULE = (
    "at least 32 characters, 10 of them different, which repeats no shorter text and counts no alphabet up "
    "(`openssl rand -hex 32` makes one)"
)


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
        (
            "FLOORHOUSE_WORKER_IDENTITY",
            "pseudonym",
            "named, pseudonym (which needs FLOORHOUSE_PSEUDONYM_KEY or its _FILE) or aggregate",
        ),
        (
            "FLOORHOUSE_WORKER_IDENTITY",
            "anonymous",
            "named, pseudonym (which needs FLOORHOUSE_PSEUDONYM_KEY or its _FILE) or aggregate",
        ),
        (
            "FLOORHOUSE_PSEUDONYM_KEY_FILE",
            "/nowhere/key",
            f"a file that holds a secret text of {RULE}",
        ),
        ("FLOORHOUSE_PLANT_NAME", "North\nplant", "unset, or a name of at most 80 characters on one line"),
        ("FLOORHOUSE_MIN_GROUP", "1", "a whole number of workers from 2 to 1000"),
        ("FLOORHOUSE_RETENTION_EVENT_DAYS", "0", "unset (for ever), or a whole number of days from 1 to 36500"),
        ("FLOORHOUSE_RETENTION_PERSON_DAYS", "90.5", "unset (for ever), or a whole number of days from 1 to 36500"),
        ("FLOORHOUSE_RETENTION_ARCHIVE_DAYS", "never", "unset (for ever), or a whole number of days from 0 to 36500"),
    ],
)
def test_a_bad_value_is_one_sentence_with_variable_value_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({variable: value})
    assert str(error.value) == f"{variable} is {value!r}; allowed: {allowed}."


KEY = "a key that is long enough for a plant"


def test_a_key_is_shown_neither_in_a_sentence_nor_in_the_settings_text() -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({"FLOORHOUSE_PSEUDONYM_KEY": "too short"})
    assert str(error.value) == (f"FLOORHOUSE_PSEUDONYM_KEY is not shown here; allowed: a secret text of {RULE}.")
    assert error.value.__cause__ is None
    settings = read_settings({"FLOORHOUSE_PSEUDONYM_KEY": KEY, "FLOORHOUSE_WORKER_IDENTITY": "pseudonym"})
    assert KEY not in f"{settings!r} {settings} {settings.model_dump()}"
    assert settings.secret_key == KEY.encode()


@pytest.mark.parametrize(
    "key", ["x" * 32, "ab" * 20, "0123456789" * 4, "abcdefghijklmnopqrstuvwxyz0123456789", "x" * 30 + "yz", KEY[:31]]
)
def test_a_key_that_can_be_tried_out_is_refused(key: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(key)
    for given in ({"FLOORHOUSE_PSEUDONYM_KEY": key}, {"FLOORHOUSE_PSEUDONYM_KEY_FILE": str(tmp_path / "key")}):
        with pytest.raises(SettingsError, match="which repeats no shorter text"):
            read_settings(given)


def test_keys_made_at_random_are_taken() -> None:
    for _ in range(200):
        assert not is_weak(secrets.token_hex(16))
        assert not is_weak(secrets.token_urlsafe(24))


def test_a_key_may_lie_in_a_file_and_the_variable_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"  {KEY}\n")
    environment = {"FLOORHOUSE_PSEUDONYM_KEY_FILE": str(path), "FLOORHOUSE_WORKER_IDENTITY": "pseudonym"}
    assert read_settings(environment).secret_key == KEY.encode()
    other = "another key that is long enough too!"
    assert read_settings({**environment, "FLOORHOUSE_PSEUDONYM_KEY": other}).secret_key == other.encode()
    path.write_text("short")
    with pytest.raises(SettingsError, match="_KEY_FILE is "):
        read_settings(environment)


def test_ids_are_replaced_with_pseudonym_and_with_aggregate_where_there_is_a_key() -> None:
    with_key = {"FLOORHOUSE_PSEUDONYM_KEY": KEY}
    modes = {"FLOORHOUSE_WORKER_IDENTITY": "aggregate"}
    assert not read_settings(with_key).pseudonymises
    assert not read_settings(modes).pseudonymises
    assert read_settings(with_key | modes).pseudonymises
