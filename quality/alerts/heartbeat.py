"""The heartbeat: calls an address when a batch has finished.

The service behind the address raises an alarm when no call comes. So it also notices that this whole machine stopped.
"""

from __future__ import annotations

import http.client
import threading
import urllib.request
from urllib.parse import urlsplit

from quality.alerts.settings import AlertSettings
from quality.alerts.sinks import NO_ANSWER, NoRedirect, failure, sendable


def beat(settings: AlertSettings) -> str:
    """Call the heartbeat's address if one is set. Returns one sentence about a failure, without the address, else "".

    Takes no longer than the settings' time-out, however the address behaves.
    """
    problem = [NO_ANSWER]

    def call() -> None:
        problem[0] = _call(address, settings.timeout_seconds)

    try:
        address = settings.heartbeat or ""
    except ValueError:
        return "The heartbeat was not sent: the file that holds its address cannot be read."
    if not address:
        return ""
    # The connection's time-out does not cover the look-up of its host name.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(settings.timeout_seconds)
    return f"The heartbeat was not sent: {urlsplit(address).hostname} {problem[0]}." if problem[0] else ""


def _call(address: str, seconds: float) -> str:
    try:
        with urllib.request.build_opener(NoRedirect).open(sendable(address), timeout=seconds):
            return ""
    except (OSError, ValueError, http.client.HTTPException) as error:
        return failure(error)
