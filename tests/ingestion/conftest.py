"""Fixtures of the landing's tests."""

from pathlib import Path

import pytest

from tests.plant import Plant
from tests.s3_server import BUCKET


@pytest.fixture(params=["local", "s3"])
def either(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """A plant whose bucket is a local folder or on an S3 server."""
    if request.param == "local":
        return Plant(tmp_path)
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    return Plant(tmp_path, landing_url=f"s3://{BUCKET}/{tmp_path.name}")
