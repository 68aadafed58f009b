"""Messages that no pattern takes: kept in the spool's folder `unmatched/`, and taken again under other patterns.

Each is a line with its topic, when it came, and its payload in base64. They are on the disk alone and count against the
spool's limit: they go nowhere before a pattern says whose they are.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime

from ingestion.bridge.connection import Message
from ingestion.edge.camera import Camera
from ingestion.edge.ledger import instant
from ingestion.edge.names import OPEN, Stream
from ingestion.edge.room import UNMATCHED
from ingestion.edge.spool import Spool


def unmatched_camera(spool: Spool) -> Camera:
    """The folder of unmatched messages."""
    return Camera(spool.folder / UNMATCHED, spool.folder / "torn" / UNMATCHED, Stream(UNMATCHED, UNMATCHED))


def to_line(message: Message, now: datetime) -> bytes:
    """A message as it is kept, with its line end."""
    kept = {
        "topic": message.topic,
        "received_at": instant(now),
        "payload": base64.b64encode(message.payload).decode("ascii"),
    }
    return json.dumps(kept).encode("ascii") + b"\n"


def from_line(line: bytes) -> Message:
    """The message that a line keeps."""
    kept = json.loads(line)
    return Message(kept["topic"], base64.b64decode(kept["payload"]), qos=0, mid=0)


def count_kept(camera: Camera) -> int:
    """How many messages wait there."""
    return sum(
        camera.path(name).read_bytes().count(b"\n") if name.ending == OPEN else name.events or 0
        for name in camera.objects()
    )
