"""The signals that end a program, as every program here starts with them. Nothing here decides how one ends."""

from __future__ import annotations

import signal


def restore_signals() -> None:
    """Let SIGINT and SIGTERM end this process and those that it starts, whatever it inherited.

    `nohup program &` in a script starts a program with SIGINT ignored. Dagster gives SIGTERM whatever SIGINT has, so
    that such a program, and every process of it, would end by SIGKILL alone. Call this before Dagster is imported, in
    the main thread.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
