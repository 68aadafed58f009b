"""The state of a spool and its uploader, as JSON and as one line for the log. Only reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingestion.edge import disk
from ingestion.edge.camera import Camera
from ingestion.edge.errors import SpoolError
from ingestion.edge.inbox import list_inbox
from ingestion.edge.ledger import Ledger
from ingestion.edge.names import OPEN, ObjectName
from ingestion.edge.spool import Spool

UPLOADER_LOCK = "uploader.lock"


def read_status(spool: Spool, now: datetime) -> dict[str, Any]:
    """The backlog (objects, events, bytes, age of the oldest in seconds), what was dropped, and the last error.

    The open object is part of the backlog. Complete files of cameras are not read: `whole_files` counts them, and their
    events are not counted.
    """
    settings = spool.settings
    try:
        cameras = [_camera(camera, now) for camera in spool.cameras()]
        inbox = []
        if settings.inbox_dir.is_dir():  # a spool that only `add` writes to has no inbox
            inbox = list_inbox(settings.inbox_dir, settings.stream, settings.spool_max_bytes)
        torn = [path.stat().st_size for path in (spool.folder / "torn").rglob("*.torn")]
        used = spool.room.measure()
        is_running = _is_locked(spool)
    except OSError as error:
        raise SpoolError(f"The spool {spool.folder} cannot be read: {error.strerror or error}.") from error
    waiting = [one for one in cameras if one["objects"]]
    ages = [one["oldest_age_seconds"] for one in waiting]
    ledger = Ledger.read(spool.folder)
    return {
        "spool": str(spool.folder),
        "target": settings.target_url or None,
        "is_uploader_running": is_running,
        "backlog": {
            **{name: sum(one[name] for one in waiting) for name in ("objects", "events", "whole_files", "bytes")},
            "oldest_age_seconds": max(ages) if ages else None,
        },
        "cameras": waiting,
        "inbox": {
            "files": sum(file.refusal is None for file in inbox),
            "bytes": sum(file.size for file in inbox if file.refusal is None),
            "refused_files": sum(file.refusal is not None for file in inbox),
        },
        "used_bytes": used,
        "limit_bytes": settings.spool_max_bytes,
        "when_full": settings.when_full,
        "dropped": spool.room.dropped(),
        "torn_ends": {"files": len(torn), "bytes": sum(torn)},
        "uploaded": ledger.uploaded,
        "last_success_at": ledger.last_success_at,
        "last_error": ledger.last_error,
    }


def report_line(status: dict[str, Any]) -> str:
    """The status as one line for the log."""
    backlog, error = status["backlog"], status["last_error"]
    age = backlog["oldest_age_seconds"]
    return (
        f"backlog {backlog['objects']} objects, {backlog['events']} events, {backlog['bytes']} bytes, "
        f"oldest {'-' if age is None else f'{age:.0f} s'}; inbox {status['inbox']['files']} files; "
        f"dropped {status['dropped']['objects']} objects, {status['dropped']['events']} events; "
        f"last success {status['last_success_at'] or '-'}; "
        f"last error {'-' if error is None else ' '.join((error['at'], error['text']))}"
    )


def _camera(camera: Camera, now: datetime) -> dict[str, Any]:
    found = list(_stats(camera))
    oldest = min((stat.st_mtime for _, stat in found), default=now.timestamp())
    return {
        "site_id": camera.stream.site_id,
        "camera_id": camera.stream.camera_id,
        **({"source": camera.stream.source} if camera.stream.source else {}),
        "objects": len(found),
        "events": sum(_events(camera, name) for name, _ in found),
        "whole_files": sum(name.events is None and name.ending != OPEN for name, _ in found),
        "bytes": sum(stat.st_size for _, stat in found),
        "oldest_age_seconds": max(0.0, round(now.timestamp() - oldest, 3)),  # never negative: the clock may jump back
    }


def _stats(camera: Camera) -> Iterator[tuple[ObjectName, os.stat_result]]:
    for name in camera.objects():
        try:
            stat = camera.path(name).stat()
        except FileNotFoundError:  # uploaded or sealed after it was listed
            continue
        if stat.st_size or name.ending != OPEN:
            yield name, stat


def _events(camera: Camera, name: ObjectName) -> int:
    if name.ending != OPEN:
        return name.events or 0
    try:
        return camera.path(name).read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def _is_locked(spool: Spool) -> bool:
    descriptor = disk.try_lock(spool.folder / UPLOADER_LOCK)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
