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
        """Start the import once."""
        if self._thread is None:
            self._thread = Thread(target=self._import, name=f"import {self._name}")
            self._thread.start()

    def wait(self) -> None:
        """Wait until the import has ended. Whoever needs a library that failed to import meets the failure only now.

        Before, an importer that waits for the other thread may get half of the module: Python looks at the module once
        the lock is free, and no longer asks whether it was imported to its end.
        """
        if self._thread is not None:
            self._thread.join()

    def _import(self) -> None:
        with contextlib.suppress(Exception):
            import_module(self._name)
