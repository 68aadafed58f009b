"""`make dev`: the Dagster UI on this machine alone, with the daemon that runs the sensors and the schedule."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ingestion.errors import FloorhouseError, SettingsError
from ingestion.settings import read_settings
from orchestration.dagster_home.home import open_instance, prepare_home

PROJECT = Path(__file__).resolve().parents[2]


def command(port: int) -> list[str]:
    """The command line that becomes this process."""
    return [
        *(sys.executable, "-m", "dagster", "dev", "--module-name", "orchestration.definitions"),
        *("--working-directory", str(PROJECT), "--host", "127.0.0.1", "--port", str(port)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Become `dagster dev`; returns the exit status only where it could not start."""
    parser = argparse.ArgumentParser(prog="dev", description="The Dagster UI, on loopback.")
    parser.add_argument("--port", type=int, default=3000, help="the port to listen on (3000)")
    port = parser.parse_args(arguments).port
    try:
        home = prepare_home(read_settings())
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    with open_instance(home):  # the tables exist before several processes look for them
        pass
    print(f"Dagster is starting at http://127.0.0.1:{port}; stop it with Ctrl-C.", flush=True)
    return os.execv(sys.executable, command(port))


if __name__ == "__main__":
    sys.exit(main())
