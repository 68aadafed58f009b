"""A library that a later step needs, imported while this step waits for the database. Knows no library."""

from __future__ import annotations

import contextlib
from importlib import import_module
from threading import Thread


class ImportAhead:
    """An import on a thread of its own, once. Whoever imports the library meanwhile waits for it, by Python's own lock.

    To be started when this step's own imports are done: two threads that import at once may see half of a module.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, if it has not begun. A failure is left to the import that needs the library."""
        if self._thread is None:
            self._thread = Thread(target=self._import, name=f"import {self._name}")
            self._thread.start()

    def _import(self) -> None:
        with contextlib.suppress(Exception):
            import_module(self._name)
