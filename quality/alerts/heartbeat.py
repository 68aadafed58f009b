"""The heartbeat: an address that is called when a batch has finished, so that whoever waits for it in vain raises an
alarm, also where this whole machine has stopped.
"""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from quality.alerts.settings import AlertSettings
from quality.alerts.sinks import NoRedirect, sendable


def beat(settings: AlertSettings) -> str:
    """Call the address, where one is set; gives what went wrong as one sentence without the address, else "".

    It takes no longer than the settings' time-out, whatever the address does.
    """
    problem = ["did not answer in time"]

    def call() -> None:
        problem[0] = _call(address, settings.timeout_seconds)

    try:
        address = settings.heartbeat or ""
    except ValueError:
        return "The heartbeat was not sent: the file that holds its address cannot be read."
    if not address:
        return ""
    # A name that is looked up in vain is under no time-out of the connection.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(settings.timeout_seconds)
    return f"The heartbeat was not sent: {urlsplit(address).hostname} {problem[0]}." if problem[0] else ""


def _call(address: str, seconds: float) -> str:
    try:
        with urllib.request.build_opener(NoRedirect).open(sendable(address), timeout=seconds):
            return ""
    except urllib.error.HTTPError as error:
        return f"answered {error.code}"
    except TimeoutError:
        return "did not answer in time"
    except (OSError, ValueError, http.client.HTTPException):
        return "cannot be reached"
