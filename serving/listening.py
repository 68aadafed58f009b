"""Sockets and settings of the project's servers: a long backlog, enough file descriptors, graceful shutdown.

`connections.py` limits single connections.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from serving.connections import MAX_CONNECTIONS, TimedConnection

# The length of the kernel's queue of new connections. A thousand pages may connect at once.
BACKLOG = 2048
_OTHER_FILES = 256


class CannotListenError(OSError):
    """The server cannot listen on the address; the message is the system's reason."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Port 0 means any free port.

    Raises:
        CannotListenError: the port is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:  # its text may already contain the address
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
        raise CannotListenError(why.partition(" (while")[0]) from error


def address_of(listener: socket.socket, host: str) -> str:
    """The server's URL, without a final slash."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def make_server(app: ASGIApp, longest_seconds: float, **options: Any) -> uvicorn.Server:
    """A server that closes connections after `longest_seconds` without progress, and waits as long at shutdown."""
    with contextlib.suppress(ValueError, OSError):  # if the system refuses, the current limit stays
        allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MAX_CONNECTIONS + _OTHER_FILES
        if allowed < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most), most))
    usual: dict[str, Any] = {
        "http": TimedConnection,
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "timeout_graceful_shutdown": int(longest_seconds),
    }
    return uvicorn.Server(uvicorn.Config(app, **{**usual, **options}))


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM, SIGINT and SIGHUP, also before uvicorn handles signals and when it raises them again."""

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, handle)
