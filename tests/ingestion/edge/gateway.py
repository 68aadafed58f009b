"""A gateway in a temporary folder: its settings, a landing folder as target, and what arrived there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingestion.edge import EdgeSettings, Spool, SpoolFullError
from ingestion.edge.target import FolderTarget, Target
from ingestion.edge.uploader import Uploader

SMALL_OBJECTS = {"object_max_bytes": 256, "object_max_events": 3}


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Gateway:
    """One spool and the landing folder it uploads to."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.landing = folder / "landing"
        (self.landing / "events").mkdir(parents=True, exist_ok=True)
        chosen: dict[str, Any] = {"site_id": "north", "camera_id": "C1", "spool_dir": folder / "spool"} | settings
        self.settings = EdgeSettings(target_url=self.landing.as_uri(), **chosen)
        self.spool = Spool(self.settings)

    def uploader(self, target: Target | None = None, **clocks: Any) -> Uploader:
        return Uploader(self.spool, target or FolderTarget(self.landing), **clocks)

    def upload(self) -> bool:
        """Seal and upload everything. Returns whether nothing is left."""
        return self.uploader().run_once()

    def objects(self) -> dict[str, bytes]:
        """Key and content of every object that arrived, in key order."""
        return objects_in(self.landing)

    def events(self, camera: str = "C1") -> list[int]:
        """The numbers of a camera's events, in the order of keys and lines in which they arrived."""
        return [
            json.loads(line)["n"]
            for key, content in self.objects().items()
            if f"/camera_id={camera}/" in key
            for line in content.splitlines()
        ]

    def spooled(self) -> list[str]:
        """The names of the objects in the spool."""
        return [name.in_spool for camera in self.spool.cameras() for name in camera.objects()]


def fill(gateway: Gateway) -> int:
    """Append numbered events until the spool is full. Returns how many were acknowledged."""
    for n in range(100_000):
        try:
            gateway.spool.append({"n": n})
        except SpoolFullError:
            return n
    raise AssertionError("the spool has no limit")


def objects_in(landing: Path) -> dict[str, bytes]:
    found = sorted(path for path in landing.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(landing)): path.read_bytes() for path in found}
