"""Real MQTT brokers on loopback, and a publisher that waits for every acknowledgement."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import pytest

Published = tuple[str | bytes, bytes]  # topic, payload

_RABBITMQ = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Mosquitto:
    """A mosquitto that keeps its sessions in a folder. The end of its `with` block ends it."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mosquitto.conf").write_text(
            f"per_listener_settings true\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence true\npersistence_location {folder}/\n"
            f"max_inflight_messages 1000\nmax_queued_messages 100000\n"
            + ("user root\n" if os.geteuid() == 0 else "")
            + more.format(port=self.tls_port)
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> Self:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            pytest.skip("mosquitto is not installed (as root: apt-get install mosquitto)")
        with (self.folder / "log").open("ab") as log:
            command = [program, "-c", str(self.folder / "mosquitto.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for_port(self.port, 10)
        return self

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)

    def kept(self) -> int:
        """The bytes of its sessions on the disk, after it has written them."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        return (self.folder / "mosquitto.db").stat().st_size

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


class RabbitMQ:
    """A RabbitMQ with its MQTT plugin, which knows MQTT 3.1.1."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._epmd_port = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.port}\nmqtt.prefetch = 1000\n"
            "log.console = false\n"
        )
        (folder / "plugins").write_text("[rabbitmq_mqtt].\n")

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> Self:
        epmd = shutil.which("epmd")
        if not _RABBITMQ or epmd is None:
            pytest.skip("RabbitMQ is not installed (as root: apt-get install rabbitmq-server)")
        given = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"floorhouse-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        with (self.folder / "out").open("ab") as log:
            if not self._processes:
                # Its own, so that none is left behind; Erlang would start one that stays.
                self._processes.append(subprocess.Popen([epmd, "-port", given["ERL_EPMD_PORT"]], env=given, stderr=log))
                wait_for_port(self._epmd_port, 10)
            command = [str(_RABBITMQ[-1])]
            process = subprocess.Popen(command, env=given, stdout=log, stderr=log, start_new_session=True)
        self._processes.append(process)
        wait_for_port(self.port, 60)
        return self

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        process = self._processes.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
        epmd = self._processes.pop()
        epmd.kill()
        epmd.wait(timeout=10)


def wait_for_port(port: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def publish(
    port: int,
    messages: Iterable[Published],
    *,
    is_retained: bool = False,
    window: int = 500,
    per_second: float | None = None,
) -> None:
    """Publish with QoS 1 over MQTT 3.1.1 and return when the broker has acknowledged everything."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as broker:
        name = f"publisher-{os.getpid()}-{time.monotonic_ns()}".encode()
        broker.sendall(_packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00" + _text(name)))
        assert broker.recv(4)[3] == 0
        sent = acknowledged = 0
        rest, is_done, started = b"", False, time.monotonic()
        remaining = iter(messages)
        while not is_done or acknowledged < sent:
            pieces: list[bytes] = []
            while not is_done and sent - acknowledged < window and len(pieces) < 100:
                if per_second is not None and sent > (time.monotonic() - started) * per_second:
                    break
                message = next(remaining, None)
                if message is None:
                    is_done = True
                    break
                topic = message[0].encode() if isinstance(message[0], str) else message[0]
                mid = struct.pack("!H", sent % 65_535 + 1)
                pieces.append(_packet(0x32 | is_retained, _text(topic) + mid + message[1]))
                sent += 1
            broker.sendall(b"".join(pieces))
            if select.select([broker], [], [], 0.001 if pieces or per_second else 30)[0]:
                read = broker.recv(65_536)
                if not read:
                    raise ConnectionError(f"the broker left after {acknowledged} of {sent} messages")
                rest += read
                acknowledged += len(rest) // 4
                rest = rest[len(rest) // 4 * 4 :]
        broker.sendall(b"\xe0\x00")


def _text(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text


def _packet(command: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = divmod(size, 128)
        length.append(digit | 128 if size else digit)
        if not size:
            return bytes([command]) + bytes(length) + body
