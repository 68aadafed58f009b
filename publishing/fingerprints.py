"""Hashes of the published files, stored with each version so that readers need not hash them.

A file shared with the previous version keeps its hash, so that the cost depends on the changes and not on the history.
If a version has no hashes, the files are read.
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
    """Write the hashes of all files of a finished version into it; `shared` are the hashes already known.

    `shown_as` names the publication rules; versions share files only under the same rules.
    """
    files = sorted(path.relative_to(version).as_posix() for path in version.rglob("*.parquet") if path.is_file())
    hashes = {name: shared.get(name) or hash_file(version / name) for name in files}
    write_whole(version / NAME, json.dumps({"shown_as": shown_as, "files": hashes}))


def read_fingerprints(version: Path) -> dict[str, str]:
    """The hash of each file by its name below the version's folder; empty if none are stored."""
    files: dict[str, str] = _read(version).get("files", {})
    return files


def shown_as(version: Path) -> str | None:
    """The publication rules that the version was written under; None if they are not stored."""
    return _read(version).get("shown_as")


def hash_file(file: Path) -> str:
    """The hash of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read(version: Path) -> dict[str, Any]:
    try:
        stored: dict[str, Any] = json.loads((version / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return stored
