import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.bridge.settings import read_bridge_settings
from ingestion.errors import SettingsError
from tests.ingestion.bridge.plant import ROOT, Plant

NEEDED = {"BRIDGE_BROKER_URL": "mqtt://127.0.0.1", "BRIDGE_TOPICS": "plant/{site_id}/{camera_id}/events"}


def check(environment: dict[str, str]) -> None:
    settings, edge = read_bridge_settings(environment)
    settings.check(edge)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"BRIDGE_BROKER_URL": ""}, "BRIDGE_BROKER_URL is not set"),
        ({"BRIDGE_BROKER_URL": "mqtt://name:secret@host"}, "allowed: mqtt://host:port, or mqtts://host:port for TLS"),
        ({"BRIDGE_TOPICS": ""}, "BRIDGE_TOPICS is not set"),
        ({"BRIDGE_TOPICS": "a/{line}"}, "BRIDGE_TOPICS is 'a/{line}', in which {line} in 'a/{line}' is none of"),
        ({"BRIDGE_MQTT_VERSION": "4"}, "BRIDGE_MQTT_VERSION is '4'; allowed: 5 or 3.1.1"),
        ({"BRIDGE_CLIENT_KEY_FILE": __file__}, "need each other; one of them is not set"),
        ({"BRIDGE_PASSWORD": "x"}, "BRIDGE_USER is not set, and MQTT has no password without a user"),
        ({"BRIDGE_PASSWORD_FILE": "/nowhere"}, "BRIDGE_PASSWORD_FILE is '/nowhere'; allowed: a file that holds"),
        ({"BRIDGE_CA_FILE": __file__}, "which has no TLS, and certificates are set"),
        ({"BRIDGE_RETRY_MAX_SECONDS": "0.5"}, "allowed: at least FLOORHOUSE_BRIDGE_RETRY_BASE_SECONDS (1)"),
        (
            {"EDGE_WHEN_FULL": "drop_oldest"},
            "EDGE_WHEN_FULL is 'drop_oldest', which would drop what the broker can keep",
        ),
        ({"EDGE_SPOOL_MAX_BYTES": "2000000"}, "what the largest message of MQTT can take"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        check({f"FLOORHOUSE_{name}": one for name, one in (NEEDED | given).items()})
    assert sentence in str(error.value)


def test_the_port_follows_the_scheme_and_the_status_is_json(tmp_path: Path) -> None:
    for url, port in (("mqtt://h", 1883), ("mqtts://h", 8883), ("mqtt://h:7", 7)):
        assert read_bridge_settings({"FLOORHOUSE_BRIDGE_BROKER_URL": url})[0].port == port
    plant = Plant(tmp_path, "mqtt://127.0.0.1:1")
    command = [sys.executable, "-m", "ingestion.bridge", "status"]
    done = subprocess.run(command, cwd=ROOT, env=plant.environment, capture_output=True, text=True, check=True)
    status = json.loads(done.stdout)
    assert (status["is_bridge_running"], status["is_connected"], status["unmatched_waiting"]) == (False, False, 0)
    assert status["spool"]["backlog"]["objects"] == 0
