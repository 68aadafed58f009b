"""Runs the project's own commands in sequence or in parallel, and prints their lines with the time and the step's name.

Nothing here knows what the commands do.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.signals import end_within

_NAME_WIDTH = 9


class StepError(Exception):
    """A command failed. The text is one sentence that contains the command's last line."""


@dataclass
class Progress:
    """Prints lines of steps that may run at the same time, with the seconds since the first one began."""

    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the first step began."""
        return time.monotonic() - self.began

    def say(self, step: str, line: str) -> None:
        """Print one complete line. Lines of two steps never mix."""
        sys.stdout.write(f"[{self.seconds:4.0f} s] {f'{step:<{_NAME_WIDTH}} ' if step else ''}{line}\n")
        sys.stdout.flush()


class Step:
    """A Python module that runs in a process of its own. It starts at once; `finish` waits for it.

    From the line that begins with `hold_from` on, lines are not printed but stored in `held`. With `is_named=False` the
    step's name is not printed, for commands that print names of their own steps. `end` kills the process after
    `seconds_to_end`.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        progress: Progress,
        hold_from: str | None = None,
        is_named: bool = True,
        seconds_to_end: float = 10,
    ) -> None:
        self.name = name
        self.held: list[str] = []
        self._hold_from = hold_from
        self._is_named = is_named
        self._seconds_to_end = seconds_to_end
        self._progress = progress
        self._last_line = "it said nothing"
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._pass_on, daemon=True)
        self._reader.start()

    def finish(self) -> None:
        """Wait for the end of the process.

        Raises:
            StepError: the command failed.
        """
        status = self._process.wait()
        self._reader.join()
        if status != 0:
            raise StepError(f"The step {self.name!r} failed with status {status}: {self._last_line}")

    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End the process if it still runs. A process that does not end at SIGTERM is killed."""
        if self._process.poll() is None:
            self._process.terminate()
            end_within(self._process, self._seconds_to_end)

    def _pass_on(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for text in output:
                line = text.rstrip()
                if not line:
                    continue
                self._last_line = line.strip()
                if self.held or (self._hold_from is not None and line.startswith(self._hold_from)):
                    self.held.append(line)
                else:
                    self._progress.say(self.name if self._is_named else "", line)
