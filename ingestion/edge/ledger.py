"""What an uploader has done, and its last error: a file beside the spool, for `status`. Nothing depends on it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ingestion.edge import disk

LEDGER = "uploader.json"

_log = logging.getLogger("floorhouse.edge")


def read_json(path: Path) -> dict[str, Any]:
    """The content of a report's file; empty if the file is missing or no JSON object."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def instant(now: datetime) -> str:
    """An instant as text in UTC, to the second."""
    return f"{now:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(slots=True)
class Ledger:
    """Totals since the spool began; instants are texts in UTC, an error is `{"at": …, "text": …}`."""

    uploaded: dict[str, int] = field(default_factory=lambda: {"objects": 0, "events": 0, "bytes": 0})
    last_success_at: str | None = None
    last_error: dict[str, str] | None = None
    _kept: bytes = b""  # as last written

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """The ledger of a spool's folder; a new one if there is none."""
        found, new = read_json(folder / LEDGER), cls()
        return cls({**new.uploaded, **found.get("uploaded", {})}, found.get("last_success_at"), found.get("last_error"))

    def note_upload(self, events: int | None, size: int, now: datetime) -> None:
        """Count an uploaded object."""
        for what, count in (("objects", 1), ("events", events or 0), ("bytes", size)):
            self.uploaded[what] += count
        self.last_success_at = instant(now)

    def note_error(self, error: Exception, now: datetime) -> None:
        """Keep the newest error; a new one is logged, a repeated one is not."""
        if self.last_error is None or self.last_error["text"] != str(error):
            _log.error("%s", error)
        self.last_error = {"at": instant(now), "text": str(error)}

    def write(self, folder: Path) -> None:
        """Write the file if the ledger has changed, without fsync. A failure is logged and stops nothing."""
        shown = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        content = json.dumps(shown).encode()
        if content == self._kept:
            return
        try:
            disk.replace_file(folder / LEDGER, [content], durable=False)
            self._kept = content
        except OSError as error:
            _log.warning("the ledger of the uploader cannot be kept: %s", error)
