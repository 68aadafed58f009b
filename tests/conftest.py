"""Fixtures that every folder of tests shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ingestion.bucket import Bucket, open_bucket
from ingestion.signals import restore_signals
from tests.plant import Plant
from tests.s3_server import BUCKET, s3_server

# Under `nohup make test &` the processes that tests start would be deaf to SIGTERM.
restore_signals()

# How long an example takes is the machine's matter: a busy one must not fail a rule.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A plant with an empty bucket and the default settings."""
    return Plant(tmp_path)


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that reach a real S3 server, one for all tests; each takes a prefix of its own in its bucket."""
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(params=["local", "s3"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket of either kind."""
    if request.param == "local":
        return open_bucket(tmp_path.as_uri(), create=True)
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    return open_bucket(f"s3://{BUCKET}/{tmp_path.name}")
