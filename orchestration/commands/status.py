"""`floorhouse status`: the plant's condition, one sentence for each subject, marked if it needs attention."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ingestion.settings import Settings, read_settings
from orchestration.health import machine, plant
from orchestration.health.finding import Finding, look_at, show

WRONG = "LOOK"
LOOK_SECONDS = 20


def tell(as_json: bool) -> int:
    """Print the plant's condition. Returns 1 if something needs attention, else 0.

    Raises:
        SettingsError: a setting is wrong.
    """
    return show(list(findings(read_settings(), datetime.now(UTC))), WRONG, as_json)


def findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """All findings about the plant at an instant."""
    newest: list[plant.LastBatch | None] = []

    def look_at_batch() -> list[Finding]:
        newest.append(plant.last_batch(settings))
        return [plant.batch(newest[0])]

    yield from look_at("last batch", look_at_batch, LOOK_SECONDS)
    yield from look_at("stop", lambda: [plant.stop(settings)], LOOK_SECONDS)
    last = newest[0] if newest else None
    yield from look_at("backlog", lambda: plant.backlog(settings, last, now), LOOK_SECONDS)
    yield from look_at("published", lambda: [plant.figures(settings, now)], LOOK_SECONDS)
    yield from look_at("rejected", lambda: plant.rejected(settings, now.date()), LOOK_SECONDS)
    yield from look_at("incidents", lambda: plant.incidents(settings), LOOK_SECONDS)
    yield from look_at("disk", lambda: machine.disk(settings.data_dir), LOOK_SECONDS)
    yield from look_at("versions", machine.versions, LOOK_SECONDS)
