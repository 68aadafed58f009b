"""Resets the signals that end a program to their defaults, before every program of this project starts."""

from __future__ import annotations

import signal


def restore_signals() -> None:
    """Let SIGINT and SIGTERM end this process and those that it starts, whatever it inherited.

    `nohup program &` in a script starts a program with SIGINT ignored. Dagster gives SIGTERM the same handling as
    SIGINT, so such a program and its children would end by SIGKILL alone. Call this in the main thread before Dagster
    is imported.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
