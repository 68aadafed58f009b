"""What makes a change of the disk survive a power cut. What the files mean is not known here.

A file's bytes are on the disk after `fsync` of the file; its name, after `fsync` of the folder. (The edge uploader has
its own, `edge/disk.py`: it runs on machines where nothing else of this project is.)
"""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have a file's bytes, or the names in a folder, on the disk, whoever wrote them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes | str) -> None:
    """Replace a small file: whoever opens it, also after a power cut, finds what was there before or all of this."""
    arriving = path.with_name(f".{path.name}.new")
    arriving.write_bytes(content.encode() if isinstance(content, str) else content)
    put_in_place(arriving, path)


def put_in_place(arriving: Path, path: Path) -> None:
    """Give a finished file, or an empty folder's place to a finished folder, the name that readers know."""
    sync(arriving)
    os.replace(arriving, path)
    sync(path.parent)


def point_to(link: Path, folder: Path) -> None:
    """Have a link lead to a folder nearby, whose files are on the disk: for readers the switch is one moment."""
    arriving = link.with_name(f".{link.name}.new")
    arriving.unlink(missing_ok=True)
    arriving.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
    os.replace(arriving, link)
    sync(link.parent)
