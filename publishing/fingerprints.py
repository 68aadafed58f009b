"""Hashes of the published files. Each version of the marts comes with them, so that no reader hashes a file.

A file that a version shares with the one before keeps the hash it had there, so that both writing and asking cost what
has changed, whatever the history. Where nobody left hashes, the files are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingestion.durable import write_whole

NAME = "fingerprints.json"


def write_fingerprints(version: Path, shared: Mapping[str, str], shown_as: str) -> None:
    """Leave the hashes of all files of a finished version in it; `shared` are those that are known already.

    `shown_as` says by which rules rows became public: what another version shares with this one follows the same.
    """
    files = sorted(path.relative_to(version).as_posix() for path in version.rglob("*.parquet") if path.is_file())
    hashes = {name: shared.get(name) or hash_file(version / name) for name in files}
    write_whole(version / NAME, json.dumps({"shown_as": shown_as, "files": hashes}))


def read_fingerprints(version: Path) -> dict[str, str]:
    """The hash of each file by its name below the version's folder; empty where there are none."""
    files: dict[str, str] = _read(version).get("files", {})
    return files


def shown_as(version: Path) -> str | None:
    """By which rules the version's rows became public, as it was written; None where nothing says so."""
    return _read(version).get("shown_as")


def hash_file(file: Path) -> str:
    """A hash of what a file holds."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read(version: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((version / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return told
