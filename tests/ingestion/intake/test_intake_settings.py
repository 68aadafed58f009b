"""Bad settings stop the start with one sentence; good ones take effect."""

from __future__ import annotations

import inspect
import re
import socket
from pathlib import Path

import pytest

from ingestion.errors import SettingsError
from ingestion.intake.settings import IntakeSettings, read_intake_settings
from tests.ingestion.intake.running import start


def test_empty_variables_are_unset_and_an_argument_counts_before_a_variable() -> None:
    environment = {"FLOORHOUSE_INTAKE_PORT": "9000", "FLOORHOUSE_INTAKE_HOST": " ", "FLOORHOUSE_REPORT_PORT": "1"}
    environment["FLOORHOUSE_INTAKE_ALLOW_WITHOUT_KEY"] = "yes"
    assert read_intake_settings(environment).port == 9000
    assert read_intake_settings(environment, port=9001, host=None) == IntakeSettings(port=9001, allow_without_key=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "http"),
        ("MAX_BODY_BYTES", "4 MB"),
        ("MAX_BODY_BYTES", "0"),
        ("MAX_BATCH_RECORDS", "0"),
        ("MAX_WAITING_REQUESTS", "1.5"),
        ("MAX_WAITING_BYTES", "-1"),
        ("GROUP_BYTES", "0"),
        ("GROUP_MILLISECONDS", "nan"),
        ("READ_SECONDS", "0"),
        ("WRITE_SECONDS", "inf"),
        ("ALLOW_WITHOUT_KEY", "maybe"),
    ],
)
def test_a_bad_value_is_one_sentence_with_variable_value_and_what_is_allowed(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_intake_settings({f"FLOORHOUSE_INTAKE_{name}": value})
    assert str(error.value).startswith(f"FLOORHOUSE_INTAKE_{name} is '{value}'; allowed: ")
    assert str(error.value).endswith(".")


def test_the_largest_request_must_fit_into_what_may_wait() -> None:
    with pytest.raises(SettingsError, match=r"MAX_WAITING_BYTES is 2000, which is less than .*MAX_BODY_BYTES, 4000"):
        read_intake_settings(max_waiting_bytes=2000, max_body_bytes=4000)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "plant"])
def test_keys_are_needed_unless_the_setting_says_otherwise_whoever_can_reach_the_intake(host: str) -> None:
    with pytest.raises(SettingsError, match=f"every program that reaches {host} could write"):
        read_intake_settings({}, host=host)
    read_intake_settings({"FLOORHOUSE_INTAKE_ALLOW_WITHOUT_KEY": "yes"}, host=host)
    read_intake_settings({"FLOORHOUSE_INTAKE_API_KEYS_FILE": "keys.csv"}, host=host)


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, "--port", str(port))
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == f"The intake cannot listen on 127.0.0.1, port {port}: Address already in use.\n"


def test_the_readme_names_every_setting_with_its_default() -> None:
    readme = Path(inspect.getfile(IntakeSettings)).with_name("README.md").read_text()
    listed = dict(re.findall(r"^\| `FLOORHOUSE_INTAKE_(\w+)` \| (?:`(.*?)`)? *\|", readme, re.MULTILINE))
    defaults = {name.upper(): field.default for name, field in IntakeSettings.model_fields.items()}
    shown = {None: "", False: "no"}
    assert listed == {name: shown.get(value, str(value)) for name, value in defaults.items()}
