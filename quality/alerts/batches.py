"""Whether batches run: a status file beside the published marts, its copy in the site, and the alerts about it.

When batches fail, no new mart is published that could say so. So the status file says it. The first of consecutive
failures opens an alert, and the next finished batch closes it.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ingestion.durable import write_whole
from ingestion.settings import Settings
from quality.alerts.messages import Message

NAME = "status.json"
METRIC = "batches_stopped"


@dataclass(frozen=True, slots=True)
class Batches:
    """The last stop: consecutive failed batches, and the batch that finished after them.

    `stopped_at` is when the first of them failed, `sentence` the reason of the newest failure, `resumed_at` when a
    batch finished again. Times are ISO 8601 in UTC; None if it did not happen.
    """

    stopped_at: str | None = None
    sentence: str = ""
    resumed_at: str | None = None

    @property
    def are_stopped(self) -> bool:
        """Whether no batch has finished since the last failure."""
        return self.stopped_at is not None and self.resumed_at is None


def read_batches(settings: Settings) -> Batches:
    """The content of the status file. If the file is missing or unreadable, nothing has stopped."""
    try:
        return Batches(**json.loads((settings.data_dir / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return Batches()


def note_stop(settings: Settings, sentence: str, now: datetime) -> None:
    """Record a failed batch. Of consecutive failures, the first instant and the newest sentence are kept."""
    known = read_batches(settings)
    since = known.stopped_at if known.are_stopped else now.isoformat(timespec="seconds")
    _write(settings, Batches(since, " ".join(sentence.split())))


def note_finish(settings: Settings, now: datetime) -> None:
    """Record a finished batch. Writes nothing if no batch had failed."""
    known = read_batches(settings)
    if known.are_stopped:
        _write(settings, Batches(known.stopped_at, known.sentence, now.isoformat(timespec="seconds")))


def messages_of_batches(batches: Batches, site_url: str) -> list[Message]:
    """The messages about the last stop, oldest first."""
    if batches.stopped_at is None:
        return []
    stops: list[tuple[str, str, str]] = [("opened", batches.stopped_at, f"No new figures: {batches.sentence}")]
    if batches.resumed_at is not None:
        stops.append(("closed", batches.resumed_at, "Batches go on: the newest one finished."))
    return [
        Message(
            incident_id=incident_id(batches),
            transition="opened" if transition == "opened" else "closed",
            at=at,
            severity="fail",
            metric=METRIC,
            site_id="*",
            cell="the whole plant",
            sentence=sentence,
            link=site_url,
        )
        for transition, at, sentence in stops
    ]


def incident_id(batches: Batches) -> str:
    """The id that all messages of one stop share. It is a valid file name."""
    return f"batches-{''.join(sign for sign in batches.stopped_at or '' if sign.isalnum())}"


def _write(settings: Settings, batches: Batches) -> None:
    content = json.dumps(asdict(batches))
    for folder in (settings.data_dir, settings.site_path):
        if folder.is_dir():
            # A full disk is one reason for a stop. A failure to write this file must not hide that reason.
            with contextlib.suppress(OSError):
                write_whole(Path(folder, NAME), content)
