"""What follows from a batch that finished: a stop is over, and whoever waits for the heartbeat gets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ingestion.errors import SettingsError
from ingestion.settings import Settings
from quality.alerts.batches import note_finish
from quality.alerts.heartbeat import beat
from quality.alerts.settings import read_alert_settings


def finish_batch(settings: Settings, now: datetime, log: Callable[[str], None]) -> None:
    """Note the finish and call the heartbeat's address; `log` is told where that fails, and the batch is finished."""
    note_finish(settings, now)
    try:
        problem = beat(read_alert_settings())
    except SettingsError as error:
        problem = f"The heartbeat was not sent: {error}"
    if problem:
        log(problem)
