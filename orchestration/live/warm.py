"""The watcher's side of the warm process: starts it, asks it for batches, notices its end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ingestion.signals import end_within

PROJECT = Path(__file__).resolve().parents[2]
WORKER = (sys.executable, "-m", "orchestration.live.worker")

# The answer of a process that ended before it answered.
LOST = -1

# A process that ended by itself is started ahead of its next batch only after this time, because it may end at once.
PAUSE_SECONDS = 60.0

_CODE = ("dbt_project/macros", "dbt_project/models", "ingestion", "orchestration", "privacy", "publishing", "quality")


def code_on_disk(project: Path = PROJECT) -> frozenset[tuple[str, int]]:
    """The files that a batch runs, with the times of their last changes."""
    return frozenset(_changed(project))


def _changed(project: Path) -> Iterator[tuple[str, int]]:
    for folder in _CODE:
        for path, _, names in os.walk(project / folder):
            for name in names:
                if name.endswith((".py", ".sql", ".yml")):
                    file = os.path.join(path, name)
                    with contextlib.suppress(FileNotFoundError):
                        yield file, os.stat(file).st_mtime_ns


class WarmProcess:
    """One warm process at a time. It is started ahead of the first batch, and again when it has ended.

    It is also replaced when the code has changed since it started: it would run old Python over new models.
    """

    def __init__(
        self,
        command: Sequence[str] = WORKER,
        code: Callable[[], object] = code_on_disk,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command, self._code, self._clock = command, code, clock
        self._process: subprocess.Popen[bytes] | None = None
        self._answers = -1
        self._started = float("-inf")
        self._started_code: object = None

    def ready(self) -> None:
        """Start the process if none lives. It warms up while the caller goes on."""
        if self._is_alive() or self._clock() - self._started < PAUSE_SECONDS:
            return
        self._start()

    def ask(self) -> None:
        """Ask for one batch. The process may end before it answers; `answer` then says so."""
        if self._is_alive() and self._code() != self._started_code:
            self.end(PAUSE_SECONDS)
        if not self._is_alive():
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(b"batch\n")
            self._process.stdin.flush()

    def fileno(self) -> int:
        """The descriptor that becomes readable with an answer, for `select`."""
        return self._answers

    def answer(self) -> int:
        """The exit status of the batch that was asked for; `LOST` if the process ended without one. Waits for it."""
        line = b""
        while not line.endswith(b"\n"):
            read = os.read(self._answers, 1)
            if not read:  # it has ended, or is about to
                self.end(0)
                return LOST
            line += read
        status, *last = line.split()
        if last:  # it ends now, as it is worn out
            self._close()
            self._started = float("-inf")
        return int(status)

    def end(self, seconds: float) -> None:
        """Let a batch that runs end within this time, and end the process."""
        if self._process is None:
            return
        self._hang_up()
        end_within(self._process, seconds)
        self._close()

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        self._close()
        self._started, self._started_code = self._clock(), self._code()
        self._answers, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                [*self._command, "--answers", str(theirs)],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                pass_fds=[theirs],
                start_new_session=True,  # a terminal's Ctrl-C goes to the watcher, which lets a batch end
            )
        finally:
            os.close(theirs)

    def _close(self) -> None:
        if self._process is not None:
            self._hang_up()
            self._process.wait()
            self._process = None
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1

    def _hang_up(self) -> None:
        """Close the standard input of the process, after which it ends; unsent requests go nowhere."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
