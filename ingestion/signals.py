"""Signals that end a program: their defaults before every program of this project starts, and one at a parent's end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from typing import Any

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2)


def restore_signals() -> None:
    """Let SIGINT and SIGTERM end this process and those that it starts, whatever it inherited.

    `nohup program &` in a script starts a program with SIGINT ignored. Dagster gives SIGTERM the same handling as
    SIGINT, so such a program and its children would end by SIGKILL alone. Call this in the main thread before Dagster
    is imported.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_with(parent: int) -> None:
    """Make the system end this process when its parent ends, in any way. `parent` is the parent's process id."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def end_within(process: subprocess.Popen[Any], seconds: float) -> None:
    """Wait for the end of a process that was told to end, and kill it if it takes longer than this."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
