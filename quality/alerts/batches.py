"""Whether batches go on: a small file beside the published marts, the site's copy of it, and what alerts say of it.

Where batches stop, nothing new is published that could say so. So this says it: the first stop of a row of failures
opens, the next finished batch closes.
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
    """The last stop: when the first batch of a row failed, why the newest one did, when a batch finished after it.

    Times are ISO 8601 in UTC, None where it did not happen.
    """

    stopped_at: str | None = None
    sentence: str = ""
    resumed_at: str | None = None

    @property
    def are_stopped(self) -> bool:
        """Whether no batch has finished since the last failure."""
        return self.stopped_at is not None and self.resumed_at is None


def read_batches(settings: Settings) -> Batches:
    """What the status file says; nothing has stopped where there is none, or none that can be read."""
    try:
        return Batches(**json.loads((settings.data_dir / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return Batches()


def note_stop(settings: Settings, sentence: str, now: datetime) -> None:
    """A batch failed with this sentence. Of a row of failures the first instant stays, and the newest sentence."""
    known = read_batches(settings)
    since = known.stopped_at if known.are_stopped else now.isoformat(timespec="seconds")
    _write(settings, Batches(since, " ".join(sentence.split())))


def note_finish(settings: Settings, now: datetime) -> None:
    """A batch finished. Nothing is written where none had failed."""
    known = read_batches(settings)
    if known.are_stopped:
        _write(settings, Batches(known.stopped_at, known.sentence, now.isoformat(timespec="seconds")))


def messages_of_batches(batches: Batches, site_url: str) -> list[Message]:
    """What there is to tell of the last stop, oldest first."""
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
    """The same for all messages of one stop, fit for a file's name."""
    return f"batches-{''.join(sign for sign in batches.stopped_at or '' if sign.isalnum())}"


def _write(settings: Settings, batches: Batches) -> None:
    content = json.dumps(asdict(batches))
    for folder in (settings.data_dir, settings.site_path):
        if folder.is_dir():
            # A full disk is one reason for a stop; that it cannot be noted must not hide the reason.
            with contextlib.suppress(OSError):
                write_whole(Path(folder, NAME), content)
