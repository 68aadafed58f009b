"""Moves SQLite files of Dagster that cannot be read any more away, so that new ones begin. No figure needs them.

Dagster decides what the files contain. The warehouse is not one of them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from ingestion.errors import WarehouseError

FOLDER = "damaged"
# A larger file is not read from end to end at each start; only its header and its tables' names are checked.
_READ_WHOLE_BYTES = 32 << 20
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside_damaged(home: Path, all_of_them: bool = False) -> str | None:
    """Move damaged files, or all, to `damaged/` with the time. Returns a message, or None if none is damaged.

    Raises:
        WarehouseError: they cannot be moved.
    """
    aside = home / FOLDER
    found = [path for path in sorted(home.rglob("*.db")) if not path.is_relative_to(aside)]
    broken = [path for path in found if all_of_them or _is_damaged(path)]
    if not broken:
        return None
    target = aside / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    try:
        for path in broken:
            for part in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))):
                if part.exists():
                    place = target / part.relative_to(home)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    part.rename(place)
    except OSError as error:
        raise WarehouseError(
            f"Dagster's records in {home} are damaged and cannot be moved: {error.strerror}."
        ) from error
    names = ", ".join(path.relative_to(home).as_posix() for path in broken[:3])
    more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
    return (
        f"Dagster's records {names}{more} were damaged and lie in {target} now; new ones begin, no figure is touched."
    )


def _is_damaged(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("select count(*) from sqlite_schema").fetchone()
            if path.stat().st_size > _READ_WHOLE_BYTES:
                return False
            return bool(connection.execute("pragma quick_check(1)").fetchone() != ("ok",))
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _BROKEN
    except OSError:
        return False
