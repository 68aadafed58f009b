"""Fixtures that every folder of tests shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plant import Plant


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A plant with an empty bucket and the default settings."""
    return Plant(tmp_path)
