"""Simulates a plant's link to a server on loopback with a relay in a process of its own.

The relay forwards bytes in both directions, and limits the total rate of the server's answers.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE_BYTES = 64 * 1024


@contextmanager
def slow_link(port: int, bytes_per_second: int) -> Iterator[int]:
    """The port of a relay to another port on loopback, which runs for the duration of the block."""
    command = [sys.executable, "-m", "benchmarks.slow_link", str(port), str(bytes_per_second)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as relay:
        try:
            assert relay.stdout is not None
            yield int(relay.stdout.readline())
        finally:
            relay.kill()


class _Pace:
    """Delays the forwarding threads so that their total rate stays within the limit."""

    def __init__(self, bytes_per_second: int) -> None:
        self._seconds_per_byte = 1 / bytes_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait(self, size: int) -> None:
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size * self._seconds_per_byte
            free_at = self._free_at
        time.sleep(max(free_at - time.monotonic(), 0))


def _pass_on(source: socket.socket, target: socket.socket, pace: _Pace | None) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            if pace is not None:
                pace.wait(len(piece))
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def main() -> None:
    """Relay until the process ends. The first line of output is the port."""
    upstream, pace = int(sys.argv[1]), _Pace(int(sys.argv[2]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", upstream))
            threading.Thread(target=_pass_on, args=(client, server, None), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client, pace), daemon=True).start()


if __name__ == "__main__":
    main()
