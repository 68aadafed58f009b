"""A bridge in a temporary folder, as a process or in this one, and what arrived in its landing folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingestion.bridge.bridge import Bridge
from ingestion.bridge.ledger import LEDGER
from ingestion.bridge.settings import BridgeSettings
from ingestion.edge import EdgeSettings, Spool
from ingestion.edge.target import FolderTarget
from ingestion.edge.uploader import Uploader
from tests.ingestion.edge.gateway import objects_in

ROOT = Path(__file__).resolve().parents[3]
TOPICS = "plant/{site_id}/{camera_id}/events"


class Plant:
    """The settings of one bridge, and its landing folder."""

    def __init__(self, folder: Path, url: str, version: str = "3.1.1", **more: Any) -> None:
        self.folder, self.landing = folder, folder / "landing"
        (self.landing / "events").mkdir(parents=True, exist_ok=True)
        edge: dict[str, Any] = {"spool_dir": folder / "spool", "poll_seconds": 0.05} | more.pop("edge", {})
        given = {
            "topics": TOPICS,
            "client_id": f"bridge-{os.urandom(4).hex()}",
            "retry_base_seconds": 0.2,
            "retry_max_seconds": 1,
        } | more
        self.edge = EdgeSettings(target_url=self.landing.as_uri(), **edge)
        self.settings = BridgeSettings.model_validate({"broker_url": url, "mqtt_version": version, **given})
        self.spool = Spool(self.edge)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process with these settings."""
        variables = {"PATH": os.environ["PATH"]}
        for prefix, values in (("BRIDGE", self.settings.model_dump()), ("EDGE", vars(self.edge))):
            given = {name: value for name, value in values.items() if value and name != "password"}
            variables |= {f"FLOORHOUSE_{prefix}_{name.upper()}": str(value) for name, value in given.items()}
        if self.settings.secret:
            variables["FLOORHOUSE_BRIDGE_PASSWORD"] = self.settings.secret
        return variables

    def start(self) -> subprocess.Popen[bytes]:
        """A bridge of its own process, which takes and uploads."""
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "ingestion.bridge", "run"]
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=log)

    @contextmanager
    def bridge(self) -> Iterator[Bridge]:
        """A bridge in a thread, which takes and uploads nothing."""
        self.settings.check(self.edge)
        bridge, stop, failures = Bridge(self.settings, self.spool), threading.Event(), list[BaseException]()

        def run() -> None:
            try:
                bridge.run(stop)
            except BaseException as error:
                failures.append(error)
                raise

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield bridge
        finally:
            stop.set()
            thread.join(timeout=30)
        assert failures == []

    def upload(self) -> bool:
        return Uploader(self.spool, FolderTarget(self.landing)).run_once()

    def ledger(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.edge.spool_dir / LEDGER).read_text()))
        except FileNotFoundError:
            return {}

    def landed(self) -> dict[str, bytes]:
        """Key and content of what arrived, after everything was uploaded."""
        assert self.upload()
        return objects_in(self.landing)

    def numbers(self) -> list[int]:
        """The numbers of all events that arrived, sorted."""
        lines = (line for content in self.landed().values() for line in content.splitlines())
        return sorted(json.loads(line)["n"] for line in lines)

    def log(self) -> str:
        return (self.folder / "log").read_text()


def until(is_true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.02)


def numbered(count: int, start: int = 0, cameras: int = 3) -> Iterator[tuple[str, bytes]]:
    """Messages with a number each, of several cameras."""
    for n in range(start, start + count):
        yield f"plant/north/C{n % cameras}/events", b'{"n":%d}' % n
