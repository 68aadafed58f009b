"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import settings

from ingestion.bucket import Bucket, open_bucket
from ingestion.signals import restore_signals
from tests.plant import Plant
from tests.s3_server import BUCKET, s3_server

# Under `nohup make test &` the processes that tests start would otherwise ignore SIGTERM.
restore_signals()

# An example takes longer on a busy machine, which must not fail a test.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


def pytest_collection_finish() -> None:
    """Measure no coverage in the threads of pools: dbt's nodes run there, and measuring slows them by a quarter."""
    start_measuring = threading.gettrace()
    if start_measuring is None:
        return

    def measure(frame: FrameType, event: str, argument: Any) -> Any:
        if getattr(getattr(threading.current_thread(), "_target", None), "__module__", "") == "multiprocessing.pool":
            sys.settrace(None)
            return None
        return start_measuring(frame, event, argument)

    threading.settrace(measure)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A plant with an empty bucket and the default settings."""
    return Plant(tmp_path)


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables for a real S3 server, one for all tests. Each test uses a prefix of its own in its bucket."""
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(params=["local", "s3"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket: a local folder or on an S3 server."""
    if request.param == "local":
        return open_bucket(tmp_path.as_uri(), create=True)
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    return open_bucket(f"s3://{BUCKET}/{tmp_path.name}")
