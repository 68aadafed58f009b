"""One intake with the default settings for each module of tests. Tests that need other settings start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ingestion.intake.running import RunningIntake, running_intake


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIntake]:
    """An intake that requires no API key."""
    with running_intake(tmp_path_factory.mktemp("intake")) as running:
        yield running
