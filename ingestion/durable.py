"""File operations that survive a power cut. Knows nothing about the files' content.

A file's bytes are durable after `fsync` of the file; its name, after `fsync` of the folder. The edge uploader has its
own module, `edge/disk.py`, because it runs on machines without the rest of this project.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, durable, whoever wrote them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes | str) -> None:
    """Replace a small file atomically and durably: a reader finds either the old content or all of the new one."""
    arriving = path.with_name(f".{path.name}.new")
    arriving.write_bytes(content.encode() if isinstance(content, str) else content)
    put_in_place(arriving, path)


def put_in_place(arriving: Path, path: Path) -> None:
    """Rename a finished file or folder to the name that readers use; a folder may replace an empty one."""
    sync(arriving)
    os.replace(arriving, path)
    sync(path.parent)


def point_to(link: Path, folder: Path) -> None:
    """Point a link atomically to a folder beside it, whose files are durable."""
    arriving = link.with_name(f".{link.name}.new")
    arriving.unlink(missing_ok=True)
    arriving.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
    os.replace(arriving, link)
    sync(link.parent)
