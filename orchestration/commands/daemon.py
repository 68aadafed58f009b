"""Runs Dagster's daemon here, as the only one of its data folder; `floorhouse dev` and the image start it."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ingestion.errors import FloorhouseError, SettingsError
from ingestion.settings import read_settings
from ingestion.signals import restore_signals
from orchestration.dagster_home.daemon_place import take_daemon_place
from orchestration.dagster_home.home import prepare_home
from orchestration.webserver import DEFINITIONS, PROJECT

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the daemon. Returns only if that is not possible: 2 for a bad setting, 1 for anything else."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.commands.daemon", description="Dagster's daemon.")
    parser.add_argument("--place", type=int, help="a descriptor that holds the daemon's place already")
    options = parser.parse_args(arguments)
    restore_signals()
    try:
        if options.place is None:
            settings = read_settings()
            prepare_home(settings)
            options.place = take_daemon_place(settings)
        else:
            _end_with(os.getppid())
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    return _become_daemon(options.place)


def _become_daemon(place: int) -> NoReturn:
    os.set_inheritable(place, True)
    program = str(Path(sys.executable).with_name("dagster-daemon"))
    os.execv(program, [program, "run", "--module-name", DEFINITIONS, "--working-directory", str(PROJECT)])


def _end_with(parent: int) -> None:
    """Make the system end this process when its parent ends, in any way: a daemon alone would have no pages."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
