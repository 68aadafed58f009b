"""The peak memory of a process, and a landing in a separate process that reports it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ingestion.landing import batch
from tests.plant import Plant


def peak_kilobytes() -> int:
    """The peak memory of this process. (`getrusage` would include the parent's memory at the start of this process.)"""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def land_apart(data_dir: Path, window_objects: int = batch.WINDOW_OBJECTS, **settings: Any) -> tuple[int, int]:
    """Land in a separate process. Returns the number of accepted events and the peak memory in kilobytes."""
    arguments = json.dumps([str(data_dir), window_objects, settings])
    command = [sys.executable, "-m", "tests.peak_memory", arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    accepted, peak = map(int, done.stdout.split())
    return accepted, peak


if __name__ == "__main__":
    folder, batch.WINDOW_OBJECTS, chosen = json.loads(sys.argv[1])
    print(Plant(Path(folder), **chosen).land().accepted, peak_kilobytes())
