"""Imports a library that a later step needs while the current step waits for the database."""

from __future__ import annotations

import contextlib
from importlib import import_module
from threading import Thread


class ImportAhead:
    """One import in its own thread. Other importers of the library wait for it, by Python's import lock.

    Start it after this step's own imports: if two threads import at once, one may see a partial module.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the import once."""
        if self._thread is None:
            self._thread = Thread(target=self._import, name=f"import {self._name}")
            self._thread.start()

    def wait(self) -> None:
        """Wait until the import has ended. If it failed, the error appears where the library is used.

        Call this before another import of the library. An importer that waits for the other thread may get a partial
        module: Python looks the module up when the lock is free, and does not check again that it was imported
        completely.
        """
        if self._thread is not None:
            self._thread.join()

    def _import(self) -> None:
        with contextlib.suppress(Exception):
            import_module(self._name)
