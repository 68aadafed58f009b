"""The name of a published version: when it was made, in nanoseconds since 1970, and the name of its build."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ingestion.settings import ReportSettings


def new_version(build: str) -> str:
    """The name of a version of this build that is made now; names sort by time."""
    return f"{time.time_ns():020d}-{build}"


def published_at(settings: ReportSettings) -> datetime | None:
    """When the published version was made; None where nothing is published."""
    if not settings.published_path.exists():
        return None
    nanoseconds = settings.published_path.resolve().name.partition("-")[0]
    return datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC) if nanoseconds.isdecimal() else None
