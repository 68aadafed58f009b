"""The watcher's side of the warm process: starts it, asks it for batches, notices its end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

# The answer of a process that ended before it answered.
LOST = -1


class WarmProcess:
    """One warm process at a time. It is started ahead of the first batch, and again whenever it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._answers = -1

    def ready(self) -> None:
        """Start the process if none lives. It warms up while the caller goes on."""
        if self._process is not None and self._process.poll() is None:
            return
        self._close()
        self._answers, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "orchestration.live.worker", "--answers", str(theirs)],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                pass_fds=[theirs],
                start_new_session=True,  # a terminal's Ctrl-C goes to the watcher, which lets a batch end
            )
        finally:
            os.close(theirs)

    def ask(self) -> None:
        """Ask for one batch. The process may have ended unseen; `answer` then says so."""
        self.ready()
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
            if not read:
                return LOST
            line += read
        return int(line)

    def end(self, seconds: float) -> None:
        """Let a batch that runs end within this time, and end the process."""
        if self._process is None:
            return
        self._hang_up()
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

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
