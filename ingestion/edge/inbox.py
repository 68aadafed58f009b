"""The watched folder into which cameras rename complete files: which files are ready, and which camera each is from.

A file belongs to the camera that its folders `site_id=…` and `camera_id=…` name (the rule of contract §1), otherwise
to the camera of the settings. A camera's files are taken in the order of their paths, because cameras number or date
their files. Taking a file renames it into the spool, so it is never in both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.edge import disk
from ingestion.edge.names import ENDINGS, Stream, why_not_an_identifier


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A complete file. `refusal` says why it cannot become an object; None if it can."""

    path: Path
    size: int
    stream: Stream
    ending: str
    refusal: str | None = None


def is_unfinished(name: str) -> bool:
    """Whether the writer has not finished this file or folder yet (contract §1)."""
    return name.startswith((".", "_")) or name.endswith((".tmp", ".part"))


def ending_of(name: str) -> str | None:
    """The ending that tells landing how to read the file, in lower case; None if landing would not read it."""
    lower = name.lower()
    return next((ending for ending in sorted(ENDINGS, key=len, reverse=True) if lower.endswith(ending)), None)


def stream_of(folders: tuple[str, ...], default: Stream) -> Stream:
    """The camera that folders name. The last name counts; empty names do not."""
    found = default
    for folder in folders:
        name, separator, value = folder.partition("=")
        if separator and name in ("site_id", "camera_id") and value.strip(" "):
            found = replace(found, **{name: value.strip(" ")})
    return found


def list_inbox(inbox: Path, default: Stream, max_bytes: int) -> list[InboxFile]:
    """Every complete file in the inbox, in the order in which to take them.

    Raises:
        OSError: a folder cannot be listed.
    """
    return sorted(_walk(inbox, (), default, max_bytes), key=lambda file: file.path)


def _walk(folder: Path, below: tuple[str, ...], default: Stream, max_bytes: int) -> Iterator[InboxFile]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_unfinished(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(folder / entry.name, (*below, entry.name), default, max_bytes)
                continue
            try:
                size = entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:  # the writer has removed it
                continue
            stream, ending = stream_of(below, default), ending_of(entry.name)
            ids = (stream.site_id, stream.camera_id)
            refusal = None
            if not entry.is_file(follow_symlinks=False):
                refusal = "it is not a regular file"
            elif ending is None:
                refusal = f"its name ends in none of {', '.join(ENDINGS)}"
            elif any(why_not_an_identifier(one) for one in ids):
                refusal = f"its folders name the camera {ids!r}, which cannot be part of a key"
            elif disk.on_disk(size) > max_bytes:
                refusal = f"it has {size} bytes, more than the whole spool may hold ({max_bytes})"
            yield InboxFile(folder / entry.name, size, stream, ending or "", refusal)
