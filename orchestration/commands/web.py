"""`floorhouse web`: Dagster's pages behind the guard, without a daemon, for a container of their own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from ingestion.errors import FloorhouseError
from ingestion.settings import read_settings
from orchestration.dagster_home.home import prepare_home
from orchestration.webserver import serve_pages
from serving.known_hosts import known_hosts
from serving.listening import CannotListenError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes. Returns 2 for a bad setting, 1 if it cannot start."""
    parser = argparse.ArgumentParser(prog="floorhouse web", description="Dagster's pages without its daemon.")
    parser.add_argument("--host", default="127.0.0.1", help="the interface to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="the port to listen on (%(default)s)")
    options = parser.parse_args(arguments)
    return serve(options.host, options.port, lambda address, _: print(f"Dagster is at {address}.", flush=True))


def serve(host: str, port: int, when_ready: Callable[[str, Callable[[], None]], None]) -> int:
    """Serve the plant of the settings and return the exit status of the command; see `serve_pages`."""
    try:
        settings = read_settings()
        serve_pages(prepare_home(settings), host, port, known_hosts(host, settings.allowed_hosts), when_ready)
    except CannotListenError as error:
        print(f"Dagster cannot be served on {host} port {port} ({error}); choose another with --port.", file=sys.stderr)
        return 1
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
