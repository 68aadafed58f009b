"""Who on this machine may read what the plant keeps: its owner, its group, or everyone. Only modes are set here.

Whoever reaches the data folder reads names, warehouse and report past every setting about people.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ingestion.settings import Settings

# What new files and folders do not let through: folders 0700, 0750 or 0755, files 0600, 0640 or 0644.
TAKEN_OFF = {"owner": 0o077, "group": 0o027, "everyone": 0o022}


def restrict(settings: Settings) -> None:
    """Have this process and those that it starts make files that only `DATA_READERS` may read, and close a data folder
    that an earlier release left open: what lies below it is out of reach with it. A stricter umask stays.
    """
    taken_off = TAKEN_OFF[settings.data_readers]
    os.umask(os.umask(taken_off) | taken_off)
    with suppress(OSError):  # a folder that is not there yet, or another user's, who decides
        mode = settings.data_dir.stat().st_mode & 0o7777
        if mode & taken_off:
            settings.data_dir.chmod(mode & ~taken_off)
