"""`floorhouse dev`: Dagster's pages, for this machine only, and the daemon that runs the sensors and the schedule."""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from ingestion.errors import FloorhouseError
from ingestion.settings import read_settings
from ingestion.signals import end_within, restore_signals
from orchestration.commands.web import serve
from orchestration.dagster_home.daemon_place import take_daemon_place
from orchestration.webserver import PROJECT

_END_SECONDS = 60  # a batch that is being started is recorded first


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes. Returns 2 for a bad setting, 1 if it cannot start or the daemon ended by itself."""
    parser = argparse.ArgumentParser(prog="floorhouse dev", description="Dagster's pages and its daemon, on loopback.")
    parser.add_argument("--port", type=int, default=3000, help="the port to listen on (3000)")
    port = parser.parse_args(arguments).port
    restore_signals()
    try:
        daemon = Daemon(take_daemon_place(read_settings()))
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    try:
        status = serve("127.0.0.1", port, daemon.start)
    finally:
        daemon.end()
    if daemon.ended_by_itself:
        print("Dagster's daemon ended by itself; what it said stands above.", file=sys.stderr)
        return 1
    return status


class Daemon:
    """Dagster's daemon as a separate process. The pages are of no use without it and end when it does."""

    def __init__(self, place: int) -> None:
        self.ended_by_itself = False
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ending = False

    def start(self, address: str, stop_pages: Callable[[], None]) -> None:
        """Start the daemon, and print the address of the pages."""
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.commands.daemon", "--place", str(self._place)],
            cwd=PROJECT,
            pass_fds=[self._place],  # the place is held until both processes have ended
            start_new_session=True,  # a terminal's Ctrl-C goes to this process only, which then ends the daemon
        )
        threading.Thread(target=self._watch, args=(process, stop_pages), daemon=True).start()
        print(f"Dagster is at {address}; stop it with Ctrl-C.", flush=True)

    def end(self) -> None:
        """End the daemon in an orderly way; kill it if it does not end."""
        self._is_ending = True
        if self._process is None:
            return
        self._process.terminate()
        end_within(self._process, _END_SECONDS)

    def _watch(self, process: subprocess.Popen[bytes], stop_pages: Callable[[], None]) -> None:
        process.wait()
        self.ended_by_itself = not self._is_ending
        stop_pages()


if __name__ == "__main__":
    sys.exit(main())
