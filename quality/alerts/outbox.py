"""The queue of alerts. Each alert is a file that records which sinks have confirmed it. The queue survives any kill.

A file is replaced atomically and flushed before the turn continues. If a process dies between a sink's confirmation
and its record here, the sink gets the message again, with the same key. So delivery is at least once. The file sink
reads its own last lines first and delivers exactly once.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ingestion.durable import write_whole
from quality.alerts.messages import Message

# Retries wait 30 s, then twice as long each time, at most an hour. They never stop: no alert is dropped.
FIRST_WAIT_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 3600.0


@dataclass(slots=True)
class Entry:
    """A message and the state of its delivery; times are seconds since 1970."""

    message: Message
    waiting: list[str]
    sent: dict[str, float] = field(default_factory=dict)
    attempts: int = 0
    not_before: float = 0.0
    last_error: str = ""

    def failed(self, error: str, now: float, asked_to_wait: float = 0.0) -> None:
        """Record a failure and the time of the next attempt: not before the sink allows, at most the longest wait."""
        self.attempts += 1
        self.last_error = error
        self.not_before = now + min(max(wait_seconds(self.attempts), asked_to_wait), LONGEST_WAIT_SECONDS)

    def is_due(self, now: float) -> bool:
        """Whether to try again. A longer wait than the longest came from a clock that was ahead, and counts as over."""
        return self.not_before <= now or self.not_before > now + LONGEST_WAIT_SECONDS


def wait_seconds(attempts: int) -> float:
    """The seconds to wait after this many failures."""
    return float(min(FIRST_WAIT_SECONDS * 2 ** min(attempts - 1, 20), LONGEST_WAIT_SECONDS))


class AlertQueue:
    """A folder with one file for each message. The caller holds `lock` while it writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Whether this process may send now. If not, the process that holds the lock sends everything."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._folder / ".lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def take(self, message: Message, sinks: tuple[str, ...]) -> bool:
        """Queue a message for these sinks unless its key is known. Returns whether it is new."""
        if self._path(message.key).exists():
            return False
        self.write(Entry(message, list(sinks)))
        return True

    def pending(self) -> list[Entry]:
        """The messages that at least one sink has not confirmed, in order of their instants."""
        entries = [self._read(path) for path in sorted(self._folder.glob("*.json"))]
        waiting = [entry for entry in entries if entry is not None and entry.waiting]
        return sorted(waiting, key=lambda entry: (entry.message.at, entry.message.transition == "closed"))

    def write(self, entry: Entry) -> None:
        """Replace a message's file and flush it."""
        write_whole(self._path(entry.message.key), json.dumps(asdict(entry)))

    def forget(self, keep_incidents: set[str]) -> None:
        """Remove delivered messages of incidents that the mart no longer has."""
        for path in self._folder.glob("*.json"):
            entry = self._read(path)
            if entry is not None and not entry.waiting and entry.message.incident_id not in keep_incidents:
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    @staticmethod
    def _read(path: Path) -> Entry | None:
        try:
            plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return Entry(**{**plain, "message": Message(**plain["message"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None  # removed since it was listed, or not a file of this queue
