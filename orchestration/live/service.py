"""One process that watches the bucket and keeps two others: Dagster's daemon and the warm process."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence

from ingestion.printable import printable
from ingestion.settings import Settings
from ingestion.signals import end_within
from orchestration.live.place import watching
from orchestration.live.warm import PROJECT, WarmProcess
from orchestration.live.watcher import Watcher

# A batch that runs at the end has this long to finish. One that is killed instead is completed by the next one.
END_SECONDS = 45.0
DAGSTER_END_SECONDS = 10.0


def serve(settings: Settings, dagster: Sequence[str], place: int) -> int:
    """Serve until a signal comes (0) or until Dagster's daemon, started by the command `dagster`, ends by itself (1).

    `place` is a descriptor that Dagster's daemon inherits: the daemon's place is free when both have ended.
    """
    ended, end = os.pipe()
    os.set_blocking(end, False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(end, b"."))
    batches = WarmProcess()
    watcher = Watcher(settings, batches, _say)
    with watching(settings):
        daemon = subprocess.Popen(dagster, cwd=PROJECT, pass_fds=[place], start_new_session=True)
        alive = os.pidfd_open(daemon.pid)  # becomes readable at its end
        next_look = time.monotonic()
        try:
            while True:
                if not watcher.is_running and time.monotonic() >= next_look:
                    next_look = time.monotonic() + watcher.look()
                answers = [batches.fileno()] if watcher.is_running else []
                pause = None if watcher.is_running else max(0.0, next_look - time.monotonic())
                readable, _, _ = select.select([ended, alive, *answers], [], [], pause)
                if ended in readable:
                    return 0
                if alive in readable:
                    return 1
                if readable:
                    watcher.ended(batches.answer())
        finally:
            daemon.terminate()
            batches.end(END_SECONDS)
            end_within(daemon, DAGSTER_END_SECONDS)
            os.close(alive)


def _say(line: str) -> None:
    print(printable(line), flush=True)
