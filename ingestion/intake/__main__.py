"""Start the intake: `python -m ingestion.intake [--host --port]`. SIGTERM or Ctrl+C: an orderly end."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from ingestion.bucket import Bucket, open_bucket, open_landing_bucket
from ingestion.errors import FloorhouseError, SettingsError
from ingestion.intake.app import build_app
from ingestion.intake.connections import TimedConnection
from ingestion.intake.keys import ApiKeys, read_api_keys
from ingestion.intake.service import Intake
from ingestion.intake.settings import IntakeSettings, read_intake_settings
from ingestion.settings import Settings, read_settings

STOP_SECONDS_BEYOND_LIMITS = 2  # for the answers themselves to be sent


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes. 0 after an orderly end; 1 with one sentence where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m ingestion.intake", description="Take camera events by HTTP.")
    parser.add_argument("--host", help="the interface to listen on (default 127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, help="the port (default 8090; 0 for any that is free)")
    given = parser.parse_args(arguments)
    try:
        settings = read_intake_settings(host=given.host, port=given.port)
        keys = read_api_keys(settings.api_keys_file) if settings.api_keys_file else ApiKeys()
        plant = read_settings()
        bucket = _open_bucket(plant)
        listener = _listen(settings)
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 1
    with listener:
        intake = Intake(settings, keys, bucket, lambda: len(server.server_state.connections))
        server = _server(build_app(intake, plant.max_record_bytes), settings)
        _stop_on_signals(server)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}"
        print(f"Taking events at {address}/api/events; {address}/docs says how. Ctrl+C stops.", flush=True)
        server.run(sockets=[listener])
    return 0


def _open_bucket(plant: Settings) -> Bucket:
    """The landing bucket. Its folders are made in the data folder only: elsewhere, one that is not there may be a share
    that is mounted later, and is waited for with 503.
    """
    is_own = plant.landing_url.startswith(f"{plant.data_dir.as_uri()}/")
    return open_landing_bucket(plant) if is_own else open_bucket(plant.landing_url)


def _listen(settings: IntakeSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as error:
        why = str(error.strerror or error).partition(" (while")[0]  # the address is in the sentence already
        raise SettingsError(f"The intake cannot listen on {settings.host}, port {settings.port}: {why}.") from error


def _server(app: FastAPI, settings: IntakeSettings) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=TimedConnection,
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            # Longer than any request may take, so that only a fault of this program is ever cut off at the end, and
            # while it serves only a connection on which nothing goes on (`connections.py`).
            timeout_graceful_shutdown=int(
                settings.read_seconds
                + settings.write_seconds * 2
                + settings.group_milliseconds / 1000
                + STOP_SECONDS_BEYOND_LIMITS
            ),
        )
    )


def _stop_on_signals(server: uvicorn.Server) -> None:
    """A signal is an orderly end also before uvicorn listens for it, and when it raises it again after the end."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main())
