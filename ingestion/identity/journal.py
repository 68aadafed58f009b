"""Deletions that have begun and are not finished: erasures and purges. They are files, so that they survive a kill.

An entry names the person during the erasure and is deleted at its end. The log of finished deletions names nobody.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ingestion.durable import sync, write_whole
from ingestion.errors import WarehouseError
from ingestion.settings import Settings

_FOLDER = "privacy"
_PURGE = "purge.pending"
_RENAMED = "renamed.pending"
RECORD = "erasures.log"


_KEPT = ("site_id", "worker_id", "names", "event_keys", "rewriting", "also")


@dataclass
class PendingErasure:
    """One unfinished erasure.

    `rewriting` lists objects that stay landed while their content changes: by key, the etag in the manifest and the
    hash of the new content. `also` lists the places whose mentions of the person are deleted too.
    """

    path: Path | None
    site_id: str
    worker_id: str
    names: list[str] = field(default_factory=list)
    event_keys: list[str] = field(default_factory=list)
    rewriting: dict[str, list[str]] = field(default_factory=dict)
    also: list[str] = field(default_factory=list)

    @classmethod
    def unsaved(cls, site_id: str, worker_id: str) -> PendingErasure:
        """An entry for a search that erases nothing. It is never written to the disk."""
        return cls(None, site_id, worker_id)

    def save(self) -> None:
        """Write the entry to the disk, before the erasure begins."""
        if self.path is None:
            return
        content = {name: getattr(self, name) for name in _KEPT}
        _write(self.path, json.dumps(content))

    def end(self) -> None:
        """Delete the entry, which names the person."""
        if self.path is None:
            return
        self.path.unlink(missing_ok=True)
        sync(self.path.parent)


def begin_erasure(settings: Settings, site_id: str, worker_id: str, also: Sequence[str] = ()) -> PendingErasure:
    """The entry of a new erasure, or the existing one if the same erasure is already pending."""
    for pending in pending_erasures(settings):
        if (pending.site_id, pending.worker_id) == (site_id, worker_id):
            pending.also = sorted({*pending.also, *also})
            pending.save()
            return pending
    path = _folder(settings) / f"erasure-{secrets.token_hex(8)}.pending"
    pending = PendingErasure(path, site_id, worker_id, also=list(also))
    pending.save()
    return pending


def pending_erasures(settings: Settings) -> list[PendingErasure]:
    """The erasures that have begun and not ended."""
    paths = sorted((settings.data_dir / _FOLDER).glob("erasure-*.pending"))
    return [PendingErasure(path, **json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def owe_purge(settings: Settings) -> None:
    """Note that older copies of the warehouse's data must be removed: versions, site files, free blocks."""
    _write(_folder(settings) / _PURGE, "")


def note_renamed(settings: Settings, pairs: list[tuple[str, str]], names: list[str]) -> None:
    """Note ids (pairs of site and worker) and names that the warehouse no longer uses, but texts beside it may.

    The entry names these people until the pending purge has ended.
    """
    earlier, earlier_names = renamed_people(settings)
    content = {"pairs": sorted({*earlier, *pairs}), "names": sorted({*earlier_names, *names})}
    _write(_folder(settings) / _RENAMED, json.dumps(content))


def renamed_people(settings: Settings) -> tuple[list[tuple[str, str]], list[str]]:
    """The people passed to `note_renamed` since the last purge."""
    path = settings.data_dir / _FOLDER / _RENAMED
    if not path.exists():
        return [], []
    content = json.loads(path.read_text(encoding="utf-8"))
    return [(site, worker) for site, worker in content["pairs"]], content["names"]


def is_purge_owed(settings: Settings) -> bool:
    """Whether a purge is pending."""
    return (settings.data_dir / _FOLDER / _PURGE).exists()


def end_purge(settings: Settings) -> None:
    """Note that the purge has been done."""
    for name in (_RENAMED, _PURGE):
        (settings.data_dir / _FOLDER / name).unlink(missing_ok=True)


def record(settings: Settings, at: datetime, what: str) -> None:
    """Add a line about a deletion to the log for those who must account for it. The line must name nobody."""
    try:
        with open(_folder(settings) / RECORD, "a", encoding="utf-8") as file:
            file.write(f"{at.isoformat(timespec='seconds')} {what}\n")
    except OSError as error:
        raise WarehouseError(f"The data folder {settings.data_dir} cannot be written: {error.strerror}.") from error


def _folder(settings: Settings) -> Path:
    folder = settings.data_dir / _FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise WarehouseError(f"{path} cannot be written: {error.strerror}.") from error
