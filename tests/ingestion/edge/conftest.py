from pathlib import Path

import pytest

from tests.ingestion.edge.gateway import Gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A gateway with the default settings."""
    return Gateway(tmp_path)
