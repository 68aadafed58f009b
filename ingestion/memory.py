"""How much memory this process may have, and the database's share of it. Beyond its share the database spills to disk.

A container's limit is no size that the machine tells: whoever exceeds it is killed without a word.
"""

from __future__ import annotations

import os
from pathlib import Path

from ingestion.errors import WarehouseError

MEGABYTE = 1_000_000
# The database never needs more; sorts and joins that are larger are quick from the disk too.
MOST = 2_500 * MEGABYTE
# What Python, dbt and Dagster take beside it.
BESIDE = 600 * MEGABYTE
LEAST = 300 * MEGABYTE

_CGROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def database_memory(available: int | None = None) -> int:
    """The bytes that the database may use, of those that this process may have.

    Raises:
        WarehouseError: they are too few for a batch; it says how many it has and how many it needs.
    """
    available = available_memory() if available is None else available
    share = min(MOST, available - BESIDE)
    if share < LEAST:
        raise WarehouseError(
            f"This process may have {available // MEGABYTE:,} MB of memory, and a batch needs at least "
            f"{(LEAST + BESIDE) // MEGABYTE:,} MB; raise the limit of its container or unit."
        )
    return share


def available_memory(cgroups: Path = _CGROUPS, own: Path = _OWN, machine: int | None = None) -> int:
    """The bytes of the machine, or of the smallest limit of the control groups that this process is in."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if machine is None else machine]
    try:
        groups = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        groups = []
    for group in groups:
        _, controllers, path = group.split(":", 2)
        if not controllers:
            limits += _limits([cgroups, cgroups / "unified"], path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits([cgroups / controllers, cgroups / "memory"], path, "memory.limit_in_bytes")
    return min(limits)


def _limits(roots: list[Path], path: str, name: str) -> list[int]:
    """The limits of a group and of those that it lies in; a container may see its own group as the root."""
    inner = Path(path.lstrip("/"))
    folders = [root / part for root in roots for part in (inner, *inner.parents)]
    found = []
    for folder in folders:
        try:
            text = (folder / name).read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if text.isdigit():
            found.append(int(text))
    return found
