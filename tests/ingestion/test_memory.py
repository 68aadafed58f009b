"""The memory limit of a container applies, however the system reports it. A batch with too little memory says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.errors import WarehouseError
from ingestion.memory import BESIDE, LEAST, MEGABYTE, MOST, available_memory, database_memory

MACHINE = 24_000 * MEGABYTE


def limit(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("own", "limits", "available"),
    [
        ("0::/", {"memory.max": "1500000000"}, 1_500_000_000),
        ("0::/system.slice/a.service", {"system.slice/memory.max": "900000000"}, 900_000_000),
        ("0::/a/b", {"a/memory.max": "max", "a/b/memory.max": "2000000000"}, 2_000_000_000),
        ("4:memory:/docker/x\n0::/", {"memory/docker/x/memory.limit_in_bytes": "800000000"}, 800_000_000),
        ("4:memory:/docker/x", {"memory/memory.limit_in_bytes": "700000000"}, 700_000_000),  # the group is the root
        ("4:memory:/", {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        ("0::/", {"memory.max": "max"}, MACHINE),
        ("", {}, MACHINE),
    ],
)
def test_the_smallest_limit_counts(tmp_path: Path, own: str, limits: dict[str, str], available: int) -> None:
    (tmp_path / "own").write_text(own)
    for path, text in limits.items():
        limit((tmp_path / "cgroups" / path).parent, Path(path).name, text)
    assert available_memory(tmp_path / "cgroups", tmp_path / "own", MACHINE) == available


def test_the_database_gets_what_python_leaves_and_never_more_than_it_needs() -> None:
    assert database_memory(MACHINE) == MOST
    assert database_memory(1_500 * MEGABYTE) == 1_500 * MEGABYTE - BESIDE
    assert database_memory(LEAST + BESIDE) == LEAST


def test_too_little_memory_is_one_sentence_with_what_there_is_and_what_is_needed() -> None:
    with pytest.raises(WarehouseError, match=r"may have 600 MB of memory, and a batch needs at least 900 MB"):
        database_memory(600 * MEGABYTE)
