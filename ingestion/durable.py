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
