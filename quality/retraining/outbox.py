"""Folders of files that other programs take away. Each appears whole and exactly once, also when a batch is killed.

A file is written under a hidden name, then noted in the warehouse, then renamed. A hidden file whose name is noted only
lacks the rename; any other hidden file is what a killed batch left. A file that was taken away never comes back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.durable import sync
from ingestion.errors import WarehouseError

_HIDDEN, _UNFINISHED = ".", ".part"


class HandoverFolder:
    """A folder from which programs outside this project take files or folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hidden(self, name: str) -> Path:
        """Where a thing lies until it is noted."""
        return self.folder / f"{_HIDDEN}{name}{_UNFINISHED}"

    def recover(self, noted: Collection[str]) -> None:
        """Finish what earlier batches noted, remove what they did not."""
        with self._told():
            for path in sorted(self.folder.glob(f"{_HIDDEN}*{_UNFINISHED}")):
                if path.name.removeprefix(_HIDDEN).removesuffix(_UNFINISHED) in noted:
                    self._show(path)
                elif path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def put(self, name: str, write: Callable[[Path], None], note: Callable[[], None]) -> None:
        """Have `write` make the file or folder at the path it is given, `note` its name, then show it."""
        path = self.hidden(name)
        with self._told():
            self.folder.mkdir(parents=True, exist_ok=True)
            write(path)
            for part in (*(path.rglob("*") if path.is_dir() else ()), path, self.folder):
                sync(part)
        note()
        with self._told():
            self._show(path)

    def _show(self, path: Path) -> None:
        path.rename(self.folder / path.name.removeprefix(_HIDDEN).removesuffix(_UNFINISHED))
        sync(self.folder)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WarehouseError(f"The outbox {self.folder} cannot be written: {error.strerror or error}.") from error
