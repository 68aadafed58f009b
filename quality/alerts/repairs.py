"""Alerts about faults that the program repaired by itself: incidents that are over when they are reported."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime

from ingestion.durable import write_whole
from ingestion.settings import Settings
from quality.alerts.messages import Message

NAME = "repairs.json"
METRIC = "repairs"
_KEPT = 20  # the newest


def note_repair(settings: Settings, sentence: str, now: datetime) -> None:
    """Store a sentence about a repair for the next delivery."""
    noted = [*_read(settings), {"at": now.isoformat(timespec="microseconds"), "sentence": sentence}]
    with contextlib.suppress(OSError):  # the repair holds even if it cannot be recorded
        write_whole(settings.data_dir / NAME, json.dumps(noted[-_KEPT:]))


def messages_of_repairs(settings: Settings) -> list[Message]:
    """An opening and a closing for each stored repair, oldest first."""
    told = (("opened", "Put right: "), ("closed", "Over: it was put right at once. "))
    return [
        Message(
            incident_id=f"{METRIC}-{''.join(sign for sign in one['at'] if sign.isalnum())}",
            transition="opened" if transition == "opened" else "closed",
            at=one["at"],
            severity="warning",
            metric=METRIC,
            site_id="*",
            cell="the whole plant",
            sentence=f"{words}{one['sentence']}",
            link=settings.site_url,
        )
        for one in _read(settings)
        for transition, words in told
    ]


def _read(settings: Settings) -> list[dict[str, str]]:
    try:
        noted = json.loads((settings.data_dir / NAME).read_bytes())
        return [{"at": str(one["at"]), "sentence": str(one["sentence"])} for one in noted]
    except (OSError, ValueError, TypeError, KeyError):
        return []
