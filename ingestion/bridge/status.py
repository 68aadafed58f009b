"""The state of a bridge and its spool, as JSON and as one line for the log. Only reads."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ingestion.bridge.ledger import Ledger
from ingestion.bridge.settings import BridgeSettings
from ingestion.bridge.unmatched import count_kept, unmatched_camera
from ingestion.edge import disk
from ingestion.edge.errors import SpoolError
from ingestion.edge.spool import Spool
from ingestion.edge.status import read_status as read_spool_status

BRIDGE_LOCK = "bridge.lock"


def read_status(settings: BridgeSettings, spool: Spool, now: datetime) -> dict[str, Any]:
    """What was taken, whether the broker is connected, why nothing is taken, and the spool's status.

    Raises:
        SpoolError: the spool cannot be read.
    """
    spooled = read_spool_status(spool, now)
    ledger = Ledger.read(spool.folder)
    try:
        is_running = _is_locked(spool)
        waiting = count_kept(unmatched_camera(spool))
    except OSError as error:
        raise SpoolError(f"The spool {spool.folder} cannot be read: {error.strerror or error}.") from error
    return {
        "broker": settings.broker_url,
        "client_id": settings.client_id,
        "is_bridge_running": is_running,
        "is_connected": is_running and ledger.connected_since is not None,
        **asdict(ledger),
        "unmatched_waiting": waiting,
        "spool": spooled,
    }


def report_line(ledger: Ledger) -> str:
    """The bridge's state as one line for the log."""
    taken, error = ledger.taken, ledger.last_error
    return (
        f"{'connected since ' + ledger.connected_since if ledger.connected_since else 'not connected'}; "
        f"{'paused since ' + ledger.paused['since'] if ledger.paused else 'taking'}; "
        f"{taken['messages']} messages, {taken['bytes']} bytes, {taken['lines']} lines, {taken['own_objects']} objects "
        f"of their own, {taken['blank']} blank, {taken['repeated']} repeated, {taken['unmatched']} unmatched; "
        f"last message {ledger.last_message_at or '-'}; "
        f"last error {'-' if error is None else ' '.join((error['at'], error['text']))}"
    )


def _is_locked(spool: Spool) -> bool:
    descriptor = disk.try_lock(spool.folder / BRIDGE_LOCK)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
