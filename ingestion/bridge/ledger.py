"""What a bridge has done, and its last error: a file beside the spool, for `status`. No message depends on it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ingestion.edge import disk
from ingestion.edge.ledger import instant, read_json

LEDGER = "bridge.json"
NAMED_TOPICS = 20  # unmatched topics that are named; the rest is counted
SHOWN_CHARACTERS = 200  # of a topic's name

_COUNTS = ("messages", "bytes", "lines", "own_objects", "blank", "retained", "repeated", "unmatched")
_log = logging.getLogger("floorhouse.bridge")


@dataclass(slots=True)
class Ledger:
    """Totals since the spool began; instants are texts in UTC, an error is `{"at": …, "text": …}`.

    `subscribed` is what the broker's session has, with the broker and the client that it is of.
    """

    taken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    unmatched_topics: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    connected_since: str | None = None
    last_message_at: str | None = None
    paused: dict[str, str] | None = None
    last_error: dict[str, str] | None = None
    subscribed: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """The ledger of a spool's folder; a new one if there is none."""
        found, new = read_json(folder / LEDGER), cls()
        known = {one.name: found[one.name] for one in fields(cls) if one.name in found}
        return cls(**{**known, "taken": new.taken | known.get("taken", {})})

    def note_unmatched(self, topic: str | None) -> None:
        """Count a message whose topic no pattern matches, by its topic."""
        shown = "(no UTF-8)" if topic is None else topic[:SHOWN_CHARACTERS]
        if shown not in self.unmatched_topics and len(self.unmatched_topics) >= NAMED_TOPICS:
            shown = "(others)"
        elif shown not in self.unmatched_topics:
            _log.warning("no pattern of the topics takes %r; its messages are set aside", shown)
        self.unmatched_topics[shown] = self.unmatched_topics.get(shown, 0) + 1

    def note_error(self, error: Exception, now: datetime) -> None:
        """Keep the newest error; a new one is logged, a repeated one is not."""
        if self.last_error is None or self.last_error["text"] != str(error):
            _log.error("%s", error)
        self.last_error = {"at": instant(now), "text": str(error)}

    def write(self, folder: Path) -> None:
        """Write the file, without fsync. A failure is logged and stops nothing."""
        try:
            disk.replace_file(folder / LEDGER, [json.dumps(asdict(self)).encode()], durable=False)
        except OSError as error:
            if self.paused is None:  # else a full disk would be told every second
                _log.warning("the ledger of the bridge cannot be kept: %s", error)
