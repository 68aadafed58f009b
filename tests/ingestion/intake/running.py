"""A real intake in a separate process on loopback, and a client that returns its answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

START = datetime(2025, 1, 15, 6, tzinfo=UTC)
JSON_BODY = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: HTTPMessage  # any letter case
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True)
class RunningIntake:
    """A started intake and its data folder."""

    port: int
    process: subprocess.Popen[str]
    data_dir: Path

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, {**JSON_BODY, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, path: str, value: Any, **headers: str) -> Answer:
        """Post bytes unchanged and anything else as JSON; `X_API_Key="…"` is the header X-API-Key."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body, {name.replace("_", "-"): text for name, text in headers.items()})

    def stored_objects(self) -> list[Path]:
        """Every object of the bucket that landing would read."""
        found = (self.data_dir / "landing/events").rglob("*.jsonl")
        return sorted(path for path in found if not path.name.startswith("_"))

    def stored_lines(self) -> list[bytes]:
        return [line for path in self.stored_objects() for line in path.read_bytes().splitlines()]

    def end(self) -> int:
        """Ask for an orderly end and return the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=60)


@contextmanager
def running_intake(data_dir: Path, **settings: object) -> Iterator[RunningIntake]:
    """Start an intake on a free port; `group_milliseconds=5` is FLOORHOUSE_INTAKE_GROUP_MILLISECONDS."""
    process = start(data_dir, **settings)
    try:
        assert process.stdout is not None
        greeting = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", greeting)
        assert address is not None, f"the intake did not start: {greeting}"
        yield RunningIntake(int(address[1]), process, data_dir)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def start(data_dir: Path, *arguments: str, **settings: object) -> subprocess.Popen[str]:
    """Start only the process, with stdout and stderr in one pipe. It requires keys if a file of keys is given."""
    landing = {
        "FLOORHOUSE_LANDING_URL": str(settings.pop("landing_url", "")),
        "FLOORHOUSE_ALLOWED_HOSTS": str(settings.pop("allowed_hosts", "intake")),
        "FLOORHOUSE_MEDIA_URL": str(settings.pop("media_url", "")),
    }
    settings = {"allow_without_key": "" if "api_keys_file" in settings else "yes", **settings}
    given = {name: value for name, value in os.environ.items() if not name.startswith("FLOORHOUSE_")}
    chosen = {f"FLOORHOUSE_INTAKE_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "ingestion.intake", *(arguments or ("--port", "0"))],
        env={**given, "FLOORHOUSE_DATA_DIR": str(data_dir), **landing, **chosen},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def event(number: int = 0, /, **fields: Any) -> dict[str, object]:
    """A valid record, a different one for each number. A field that is None is left out."""
    at = START + timedelta(milliseconds=number)
    record = {
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "worker_id": f"W{number % 7}",
        "workstation_id": "S3",
        "event_type": "working",
        "confidence": 0.93,
        "count": 1,
        **fields,
    }
    return {name: value for name, value in record.items() if value is not None}
