"""The bridge at a real mosquitto, with both versions of MQTT: nothing that the broker keeps is lost, and what QoS 1
repeats is all that is doubled.
"""

import gzip
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.bridge.bridge import Bridge
from ingestion.bridge.taking import take_again
from ingestion.edge.spool import utc_now
from tests.brokers import Mosquitto, publish
from tests.ingestion.bridge.plant import Plant, numbered, until

VERSIONS = pytest.mark.parametrize("version", ["3.1.1", "5"])
TLS = (
    "listener {port} 127.0.0.1\ncafile %(folder)s/ca.pem\ncertfile %(folder)s/broker.pem\n"
    "keyfile %(folder)s/broker.key\nrequire_certificate true\nallow_anonymous false\n"
    "password_file %(folder)s/passwords\n"
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    folder = tmp_path_factory.mktemp("mosquitto")
    more = ""
    if (openssl := shutil.which("openssl")) and (passwd := shutil.which("mosquitto_passwd")):
        more = TLS % {"folder": folder}
        make_certificates(openssl, folder)
        (folder / "passwords").touch(mode=0o600)
        command = [passwd, "-b", str(folder / "passwords"), "bridge", "pässword"]
        subprocess.run(command, check=True, capture_output=True)
    with Mosquitto(folder, more) as started:
        yield started


def make_certificates(openssl: str, folder: Path) -> None:
    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=plant authority")
    run("req", "-x509", *key, "-keyout", "other.key", "-out", "other.pem", "-subj", "/CN=another authority")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("broker", "bridge"):
        run("req", *key[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)


@VERSIONS
def test_messages_land_in_the_folders_of_their_topics_each_once_and_in_order(
    broker: Mosquitto, tmp_path: Path, version: str
) -> None:
    plant = Plant(tmp_path, broker.url, version)
    with plant.bridge() as bridge:
        until(lambda: bridge.ledger.connections)
        publish(broker.port, numbered(1500))
        until(lambda: bridge.ledger.taken["messages"] == 1500)
    landed = plant.landed()
    assert plant.numbers() == [*range(1500)]
    for camera in range(3):
        mine = [content for key, content in landed.items() if f"events/site_id=north/camera_id=C{camera}/" in key]
        assert [json.loads(line)["n"] for line in b"".join(mine).splitlines()] == [*range(camera, 1500, 3)]
    assert len(landed) == 3
    assert bridge.ledger.taken["repeated"] == 0


@VERSIONS
def test_the_broker_keeps_for_an_absent_bridge_and_its_session_is_subscribed_to_once(
    broker: Mosquitto, tmp_path: Path, version: str
) -> None:
    plant = Plant(tmp_path, broker.url, version)
    publish(broker.port, [("plant/north/C0/events", b'{"n":0}')], is_retained=True)
    with plant.bridge() as bridge:
        until(lambda: bridge.ledger.taken["retained"] == 1)
    publish(broker.port, numbered(400, start=1))
    with plant.bridge() as bridge:
        until(lambda: bridge.ledger.taken["messages"] == 401)
    assert bridge.ledger.taken["retained"] == 1  # not again at the second connection
    publish(broker.port, [("plant/north/C0/events", b"")], is_retained=True)  # takes the retained one away
    # Another topic: the session forgets the old one.
    moved = Plant(tmp_path, broker.url, version, client_id=plant.settings.client_id, topics="other/{camera_id}")
    with moved.bridge() as bridge:
        until(lambda: bridge.ledger.subscribed["filters"] == ["other/+"])
        publish(broker.port, [("plant/north/C0/events", b'{"n":500}'), ("other/C9", b'{"n":501}')])
        until(lambda: bridge.ledger.taken["messages"] == 403)  # with the blank one that waited
    assert bridge.ledger.unmatched_topics == {"plant/north/C0/events": 1}
    assert plant.numbers() == [*range(401), 501]


def test_payloads_of_every_kind_land_as_they_are_and_harm_no_neighbours(broker: Mosquitto, tmp_path: Path) -> None:
    odd = [b'{"n":', b"\xff\xd8 picture", gzip.compress(b'{"n":7}'), b'{"n":"' + b"x" * 2_000_000 + b'"}', b'{"n":1}\0']
    payloads = [b'{"n":1}', odd[0], b'{\n"n": 2\n}', *odd[1:], b'{"n":3}\n{"n":4}', b"", b'{"n":5}']
    plant = Plant(tmp_path, broker.url)
    with plant.bridge() as bridge:
        until(lambda: bridge.ledger.connections)
        publish(broker.port, [("plant/n/C/events", one) for one in payloads])
        until(lambda: bridge.ledger.taken["messages"] == len(payloads))
    contents = list(plant.landed().values())
    assert sorted(content for content in contents if content in odd) == sorted(odd)
    lines = b"".join(content for content in contents if content not in odd).splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3, 4, 5]
    assert (bridge.ledger.taken["own_objects"], bridge.ledger.taken["blank"]) == (5, 1)


def test_a_topic_without_a_pattern_is_named_and_its_messages_wait_for_one(broker: Mosquitto, tmp_path: Path) -> None:
    plant = Plant(tmp_path, broker.url)
    topics = ["plant//C1/events", f"plant/n/{'x' * 300}/events", "plant/\u200b/C/events"]
    with plant.bridge() as bridge:
        until(lambda: bridge.ledger.connections)
        publish(broker.port, [(topic, b'{"n":%d}' % n) for n, topic in enumerate([*topics, "plant/n/../events"])])
        until(lambda: bridge.ledger.taken["messages"] == 4)
        assert bridge.ledger.unmatched_topics == {topic[:200]: 1 for topic in topics}
    assert [key.rsplit("/", 2)[0] for key in plant.landed()] == ["events/site_id=n/camera_id=.."]
    assert {path.parent for path in plant.edge.spool_dir.rglob("*.open")} == {plant.edge.spool_dir / "unmatched"}
    wider = Plant(tmp_path, broker.url, topics="plant/n/+/events; plant/+/{camera_id}/events site_id=s")
    assert take_again(wider.spool, wider.settings.patterns, utc_now) == (3, 0)
    assert take_again(wider.spool, wider.settings.patterns, utc_now) == (0, 0)
    assert plant.numbers() == [0, 1, 2, 3]
    assert not list((plant.edge.spool_dir / "unmatched").glob("*_*"))


@VERSIONS
def test_a_bridge_that_is_killed_again_and_again_loses_nothing(broker: Mosquitto, tmp_path: Path, version: str) -> None:
    window, count = 50, 6_000
    plant = Plant(tmp_path, broker.url, version, receive_maximum=window)
    kills, messages = 2, numbered(count)
    process = plant.start()
    try:
        for kill in range(kills):
            wait_for_connections(plant, kill + 1)
            publish(broker.port, itertools.islice(messages, count // kills))
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=10)
            process = plant.start()
        until(lambda: not broker_has_more(plant, count))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, plant.log()
    numbers = plant.numbers()
    assert sorted(set(numbers)) == [*range(count)]
    # 3.1.1 knows no receive maximum, so mosquitto's own limit bounds what may be on its way at a kill.
    assert len(numbers) - count <= kills * (window if version == "5" else 1000)


def wait_for_connections(plant: Plant, count: int) -> None:
    until(lambda: plant.ledger().get("connections") == count)


def broker_has_more(plant: Plant, count: int) -> bool:
    """Whether a number is still to come: looks into the spool and the landing folder, which a bridge works on."""
    found = set()
    for path in [*plant.edge.spool_dir.rglob("*_*"), *plant.landing.rglob("*.jsonl")]:
        try:
            found |= set(path.read_bytes().splitlines()) if path.is_file() else set()
        except FileNotFoundError:  # uploaded meanwhile
            return True
    return len(found) < count


@VERSIONS
def test_a_broker_that_is_killed_comes_back_with_its_sessions_and_the_bridge_finds_it(
    broker: Mosquitto, tmp_path: Path, version: str
) -> None:
    plant = Plant(tmp_path, broker.url, version)
    with plant.bridge() as bridge:
        until(lambda: bridge.ledger.connections)
    publish(broker.port, numbered(700))
    assert broker.kept() > 700
    broker.kill()
    with plant.bridge() as bridge:
        until(lambda: "cannot be reached: Connection refused" in str(bridge.ledger.last_error))
        broker.start()
        until(lambda: bridge.ledger.taken["messages"] >= 700)
        publish(broker.port, numbered(100, start=700))
        until(lambda: bridge.ledger.taken["messages"] >= 800)
        assert broker.kept()  # else the messages of before would come once more
        broker.kill()
        until(lambda: bridge.ledger.connected_since is None)
        broker.start()
        until(lambda: bridge.ledger.connected_since)
        publish(broker.port, numbered(100, start=800))
        until(lambda: bridge.ledger.taken["messages"] >= 900)
    numbers = plant.numbers()
    assert sorted(set(numbers)) == [*range(900)]
    assert len(numbers) - 900 == bridge.ledger.taken["repeated"]


def is_mounted(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [str(shutil.which("mount")), "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if not shutil.which("mount") or os.geteuid() != 0 or not is_mounted(command):
        pytest.skip("only root, where mounting is allowed, can make a disk that really becomes full")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@VERSIONS
def test_a_full_disk_stops_the_taking_and_the_broker_keeps_the_rest(
    broker: Mosquitto, tmp_path: Path, small_disk: Path, version: str
) -> None:
    plant = Plant(tmp_path, broker.url, version, edge={"spool_dir": small_disk / "spool"})
    filler = b"x" * 1000
    with plant.bridge() as bridge:
        until(lambda: bridge.ledger.connections)
        publish(broker.port, ((topic, payload[:-1] + b',"x":"%s"}' % filler) for topic, payload in numbered(3000)))
        until(lambda: bridge.ledger.paused)
        assert bridge.ledger.paused is not None
        assert bridge.ledger.paused["text"] == (
            f"Nothing is taken, and the broker keeps its messages: The disk of the spool {small_disk}/spool is full."
        )
        assert bridge.ledger.taken["messages"] < 3000
        while bridge.ledger.taken["messages"] < 3000:
            plant.upload()
            time.sleep(0.1)
        until(lambda: bridge.ledger.taken["messages"] == 3000 and bridge.ledger.paused is None)
    assert plant.numbers() == [*range(3000)]


@VERSIONS
def test_a_bucket_that_is_away_fills_the_spool_to_its_limit_and_memory_stays_small(
    broker: Mosquitto, tmp_path: Path, version: str
) -> None:
    limit = 400 << 20
    plant = Plant(tmp_path, broker.url, version, edge={"spool_max_bytes": limit}, receive_maximum=100)
    (plant.landing / "events").rmdir()
    # All but 3 MiB of the limit are in use, by a file without blocks.
    aside = plant.edge.spool_dir / "torn"
    aside.mkdir(parents=True)
    with (aside / "sparse").open("wb") as file:
        file.truncate(limit - (3 << 20))
    process = plant.start()
    filler = b"x" * 20_000
    try:
        until(lambda: plant.ledger().get("connections"))
        publish(broker.port, ((topic, payload[:-1] + b',"x":"%s"}' % filler) for topic, payload in numbered(1500)))
        until(lambda: plant.ledger()["paused"])
        assert f"The spool {plant.edge.spool_dir} is full" in plant.ledger()["paused"]["text"]
        assert plant.spool.room.measure() <= limit
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert int(status.partition("VmRSS:")[2].split()[0]) < 150_000  # kilobytes; 30 MB wait at the broker
        (plant.landing / "events").mkdir()
        until(lambda: plant.ledger()["taken"]["messages"] == 1500, 60)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, plant.log()
    (aside / "sparse").unlink()
    assert plant.numbers() == [*range(1500)]


def wait_for_an_error(bridge: Bridge) -> None:
    until(lambda: bridge.ledger.last_error)


@VERSIONS
def test_tls_with_both_certificates_user_and_password(broker: Mosquitto, tmp_path: Path, version: str) -> None:
    folder = broker.folder
    if not (folder / "ca.pem").exists():
        pytest.skip("openssl and mosquitto_passwd make the certificates and the password")
    (tmp_path / "password").write_text("pässword\n")
    secure = {
        "ca_file": folder / "ca.pem",
        "client_certificate_file": folder / "bridge.pem",
        "client_key_file": folder / "bridge.key",
        "user": "bridge",
        "password_file": tmp_path / "password",
    }
    url = f"mqtts://127.0.0.1:{broker.tls_port}"
    with Plant(tmp_path, url, version, **secure).bridge() as bridge:
        until(lambda: bridge.ledger.connections)
    (tmp_path / "password").write_text("wrong")
    refusals: list[tuple[dict[str, Any], str]] = [
        ({}, f"The broker {url} refuses the bridge: "),
        ({"ca_file": folder / "other.pem"}, f"The broker {url} cannot be reached: "),
        ({"client_certificate_file": None, "client_key_file": None}, "broker"),
    ]
    for number, (changed, sentence) in enumerate(refusals):
        plant = Plant(tmp_path / str(number), url, version, **{**secure, **changed})
        with plant.bridge() as bridge:
            wait_for_an_error(bridge)
        assert sentence in str(bridge.ledger.last_error)
        assert "certificate" in str(bridge.ledger.last_error) or number != 1
        assert bridge.ledger.connections == 0


def test_two_bridges_of_one_name_say_so_and_wait(broker: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = Plant(tmp_path / "a", broker.url, "5")
    second = Plant(tmp_path / "b", broker.url, "5", client_id=first.settings.client_id)
    with first.bridge() as one:
        until(lambda: one.ledger.connections)
        with second.bridge():
            until(lambda: one.ledger.last_error)
    assert f"; it was short, so look whether another client has the name {first.settings.client_id}." in str(
        one.ledger.last_error
    )
