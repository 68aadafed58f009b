"""Runs Dagster's daemon and the watcher of the bucket, as the only ones of their data folder.

`floorhouse dev` and the image start it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ingestion.errors import FloorhouseError
from ingestion.settings import read_settings
from ingestion.signals import end_with, restore_signals
from orchestration.dagster_home.daemon_place import take_daemon_place
from orchestration.dagster_home.home import prepare_home
from orchestration.live.service import serve
from orchestration.webserver import DEFINITIONS, PROJECT


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes: 2 for a bad setting, 1 if it cannot start or Dagster's daemon ended by itself."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.commands.daemon", description="Dagster's daemon.")
    parser.add_argument("--place", type=int, help="a descriptor that holds the daemon's place already")
    parser.add_argument("--dagster", action="store_true", help="become Dagster's own daemon")
    options = parser.parse_args(arguments)
    restore_signals()
    if options.place is not None:
        end_with(os.getppid())
    if options.dagster:
        _become_dagsters_daemon(options.place)
    try:
        settings, place = read_settings(), options.place
        if place is None:
            prepare_home(settings)
            place = take_daemon_place(settings)
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    dagster = [sys.executable, "-m", "orchestration.commands.daemon", "--dagster", "--place", str(place)]
    return serve(settings, dagster, place)


def _become_dagsters_daemon(place: int) -> NoReturn:
    os.set_inheritable(place, True)
    program = str(Path(sys.executable).with_name("dagster-daemon"))
    os.execv(program, [program, "run", "--module-name", DEFINITIONS, "--working-directory", str(PROJECT)])


if __name__ == "__main__":
    sys.exit(main())
