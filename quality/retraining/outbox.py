"""Folders of files for other programs to collect. Each file appears complete and exactly once, also after a kill.

A file is written under a hidden name, then recorded in the warehouse, then renamed. After a kill, a recorded hidden
file only needs the rename, and any other hidden file is removed. A collected file never comes back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.durable import sync
from ingestion.errors import WarehouseError

_HIDDEN, _UNFINISHED, _OLD = ".", ".part", ".old"
_NEW = ".new"


class HandoverFolder:
    """A folder from which programs outside this project collect files or folders.

    All methods raise WarehouseError if the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hidden(self, name: str) -> Path:
        """The hidden path of an item until it is recorded."""
        return self.folder / f"{_HIDDEN}{name}{_UNFINISHED}"

    def recover(self, noted: Collection[str]) -> None:
        """Finish after a kill: rename the hidden items that are recorded, and remove the others."""
        with self._naming_errors():
            for path in sorted(self.folder.glob(f"{_HIDDEN}*{_UNFINISHED}")):
                name = path.name.removeprefix(_HIDDEN).removesuffix(_UNFINISHED)
                if name in noted and not (self.folder / name).exists():
                    self._show(path)
                elif path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def put(self, name: str, write: Callable[[Path], None], note: Callable[[], None]) -> None:
        """Call `write` to make the file or folder at a hidden path, `note` to record it, then rename it."""
        path = self.hidden(name)
        with self._naming_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            write(path)
            for part in (*(path.rglob("*") if path.is_dir() else ()), path, self.folder):
                sync(part)
        note()
        with self._naming_errors():
            self._show(path)

    def replace(self, name: str, write: Callable[[Path], None]) -> None:
        """Replace a folder that is still here with the one that `write` makes. After a kill, `recover` finishes it."""
        path, old, new = (self.hidden(f"{name}{ending}") for ending in ("", _OLD, _NEW))
        with self._naming_errors():
            write(new)
            for part in (*new.rglob("*"), new):
                sync(part)
            new.rename(path)
            (self.folder / name).rename(old)
            self._show(path)
            shutil.rmtree(old)

    def _show(self, path: Path) -> None:
        path.rename(self.folder / path.name.removeprefix(_HIDDEN).removesuffix(_UNFINISHED))
        sync(self.folder)

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WarehouseError(f"The outbox {self.folder} cannot be written: {error.strerror or error}.") from error
