"""Import a library that a later step needs while this step waits for the database."""

from __future__ import annotations

import contextlib
from importlib import import_module
from threading import Thread


class ImportAhead:
    """One import on its own thread. Other importers of the library wait for it, by Python's import lock.

    Start it after this step's own imports: two threads that import at once may see half of a module.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the import once. A failure appears at the import that needs the library."""
        if self._thread is None:
            self._thread = Thread(target=self._import, name=f"import {self._name}")
            self._thread.start()

    def _import(self) -> None:
        with contextlib.suppress(Exception):
            import_module(self._name)
