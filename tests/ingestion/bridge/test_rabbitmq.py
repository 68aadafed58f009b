"""The bridge at a real RabbitMQ with its MQTT plugin, which knows MQTT 3.1.1."""

import itertools
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import RabbitMQ, publish
from tests.ingestion.bridge.plant import Plant, numbered, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as started:
        yield started


def test_what_rabbitmq_keeps_survives_kills_of_the_bridge_and_of_the_broker(broker: RabbitMQ, tmp_path: Path) -> None:
    plant = Plant(tmp_path, broker.url, user="guest", password="guest")
    messages = numbered(1500)
    process = plant.start()
    try:
        until(lambda: plant.ledger().get("connections") == 1)
        publish(broker.port, itertools.islice(messages, 500))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
        publish(broker.port, itertools.islice(messages, 500))  # kept for the absent bridge
        broker.kill()
        process = plant.start()
        until(lambda: "Connection refused" in str(plant.ledger().get("last_error")))
        broker.start()
        until(lambda: plant.ledger()["connected_since"])
        publish(broker.port, messages)
        until(lambda: len(set(arrived(plant))) == 1500)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, plant.log()
    numbers = plant.numbers()
    assert sorted(set(numbers)) == [*range(1500)]
    # Two kills, and at each what was on its way may come once more.
    assert len(numbers) - 1500 <= 2 * 1000
    assert len(plant.landed()) >= 3


def arrived(plant: Plant) -> list[bytes]:
    """The lines in the spool and the landing folder; none while they move."""
    try:
        paths = [*(plant.edge.spool_dir / "objects").rglob("*_*"), *plant.landing.rglob("*.jsonl")]
        return [line for path in paths if path.is_file() for line in path.read_bytes().splitlines()]
    except FileNotFoundError:
        return []


def test_mqtt_5_is_refused_with_the_setting_that_helps(broker: RabbitMQ, tmp_path: Path) -> None:
    with Plant(tmp_path, broker.url, "5", user="guest", password="guest").bridge() as bridge:
        until(lambda: bridge.ledger.last_error)
    assert "FLOORHOUSE_BRIDGE_MQTT_VERSION" in str(bridge.ledger.last_error)
