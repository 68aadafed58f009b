"""What happens after a batch has finished: a recorded stop ends, and the heartbeat's address is called."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ingestion.errors import SettingsError
from ingestion.settings import Settings
from quality.alerts.batches import note_finish
from quality.alerts.heartbeat import beat
from quality.alerts.settings import read_alert_settings


def finish_batch(settings: Settings, now: datetime, log: Callable[[str], None]) -> None:
    """Record the finish and call the heartbeat's address.

    If the call fails, `log` receives a message; nothing else changes.
    """
    note_finish(settings, now)
    try:
        problem = beat(read_alert_settings())
    except SettingsError as error:
        problem = f"The heartbeat was not sent: {error}"
    if problem:
        log(problem)
