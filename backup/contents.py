"""The contents of a backup, by places of the data folder (privacy/inventory.py), and its manifest, `backup.json`.

Every place is in `COPIED`, in `LEFT_OUT` with a reason, or is the warehouse. A test compares the lists.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ingestion.bucket import ARCHIVE_PREFIX
from ingestion.errors import BackupError
from ingestion.landing.continuity import STATE_NAME
from ingestion.landing.rebuild import WORK_FOLDER
from ingestion.settings import Settings
from ingestion.settings_sources import is_secret

FORMAT = 1
TABLE_OF_CONTENTS = "backup.json"
WAREHOUSE = "warehouse.duckdb"
FILES, REGISTRY, BUCKET, KEYS = "files", "registry", "bucket", "keys.json"

# The bucket's prefixes. The archive is copied last. So an object that a batch archives meanwhile is copied from the
# archive, or twice, but is never missed.
OBJECTS = ("events/", "labels/", ARCHIVE_PREFIX)

# Copied byte for byte. SQLite databases are copied with SQLite's backup, so that a running daemon does no harm.
COPIED = (
    "alerts/*",
    "alerts.log",
    "outbox/review/*",
    "outbox/retraining/*",
    "logs/*",
    "status.json",
    "repairs.json",
    "privacy/*",
    "dagster/*",
    "demo-truth/*",
)
LEFT_OUT = {
    "landing/*": "the bucket; its registry files are copied, the rest with --with-bucket",
    "warehouse-before-*": "copies of an earlier warehouse",
    f"{WORK_FOLDER}/*": "work under way",
    "verify-*": "work under way",
    "warehouse.duckdb.*": "part of the warehouse's copy",
    ".warehouse.duckdb*": "work under way",
    ".status.json.new": "work under way",
    ".repairs.json.new": "work under way",
    "published": "the next batch publishes",
    "published-versions/*": "the next batch publishes",
    "site/*": "the next batch makes it",
    "quality/*": "the next batch makes it",
    "dbt/*": "the next batch makes it",
    "dbt/logs/*": "the next batch writes them",
    "warehouse.lock": "of this machine",
    "floorhouse.toml": "may hold secrets; backup.json has the settings in force without them",
    STATE_NAME: "the restore writes it",
    f".{STATE_NAME}*": "work under way",
}
# Files of Dagster's folder that are not copied: locks and sockets of running processes, and SQLite's temporary files.
_OF_PROCESSES = ("*.lock", "*-wal", "*-shm", "*-journal", "dagster/running*")


@dataclass(frozen=True, slots=True)
class Contents:
    """The manifest of a backup. `files` maps each file's path below the backup to its SHA-256."""

    format: int
    taken_at: str  # UTC, ISO 8601
    schema_version: int
    objects: int
    newest_landing: str
    worker_identity: str
    needs: list[str]  # variables whose values are secrets and not in the backup
    settings: dict[str, Any]
    files: dict[str, str]

    def text(self) -> str:
        """The JSON of `backup.json`."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def read_contents(folder: Path) -> Contents:
    """Read the manifest of a backup.

    Raises:
        BackupError: the folder contains no finished backup.
    """
    try:
        contents = Contents(**json.loads((folder / TABLE_OF_CONTENTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BackupError(f"{folder} is no finished backup: its {TABLE_OF_CONTENTS} is missing or damaged.") from error
    return contents


def is_copied(path: str) -> bool:
    """Whether a backup includes a file of the data folder, by its path below the folder."""
    return any(fnmatchcase(path, pattern) for pattern in COPIED) and not any(
        fnmatchcase(path, pattern) for pattern in _OF_PROCESSES
    )


def shown_settings(settings: Settings) -> dict[str, Any]:
    """The settings in force without secrets, for the person who sets up the new machine."""
    secrets = {name for name in type(settings).model_fields if is_secret(type(settings), name)}
    return settings.model_dump(mode="json", exclude=secrets)
