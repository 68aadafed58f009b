"""Who may read the data folder: modes of real files and folders."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.access import restrict
from tests.plant import Plant


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    umask = os.umask(0o022)
    os.umask(0o022)
    yield
    os.umask(umask)


def modes(folder: Path) -> set[str]:
    """The modes of a folder and of everything in it."""
    return {f"{path.lstat().st_mode & 0o777:o}" for path in (folder, *folder.rglob("*")) if not path.is_symlink()}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"750", "640"}),
        ({"data_readers": "owner"}, {"700", "600"}),
        ({"data_readers": "everyone"}, {"755", "644"}),
    ],
    ids=["by default the group", "the owner", "everyone"],
)
def test_what_a_batch_leaves_is_read_by_whom_the_setting_names(
    tmp_path: Path, settings: dict[str, Any], expected: set[str]
) -> None:
    plant = Plant(tmp_path / "data", **settings)
    plant.land()
    assert modes(plant.settings.data_dir) == expected


def test_a_folder_that_was_open_is_closed_and_a_stricter_umask_stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    os.umask(0o077)
    restrict(Plant(tmp_path).settings)
    assert modes(tmp_path) == {"750"}
    (tmp_path / "new").touch()
    assert modes(tmp_path / "new") == {"600"}
