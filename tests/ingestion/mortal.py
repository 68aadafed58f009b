"""Batches and replays that are killed at a given point: one process imports everything and forks one for each.

The steps of a run are counted in all of its threads: every statement sent to DuckDB, every change of a file or an
object (just before and just after it), and every call within the modules that land and archive. The process kills
itself (SIGKILL) at the step with the given number. To die inside DuckDB's own writing, it limits the size of its files,
and the system ends it (SIGXFSZ) in the middle of the write that exceeds the limit.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import traceback
from itertools import count
from types import FrameType
from typing import Any

import obstore  # noqa: F401  # imported before the first fork, as are the modules that land

from ingestion.bucket import conditional, local, s3
from ingestion.landing import archiving, batch, growth, manifest, replay, unexpected_fields
from ingestion.settings import Settings
from ingestion.warehouse import warehouse_lock
from tests.mortal import ForkingProcess
from tests.plant import NOW, Plant

WATCHED = {
    module.__file__
    for module in (archiving, batch, growth, manifest, replay, unexpected_fields, conditional, local, s3)
}
CHANGES = {"execute", "rename", "link", "unlink", "makedirs", "put", "get", "copy", "delete", "head", "sign"}


class Mortal(ForkingProcess):
    """The process that forks; the end of the `with` block ends it."""

    def __init__(self) -> None:
        super().__init__("tests.ingestion.mortal")

    def run(self, plant: Plant, action: str = "land", step: int = 0, file_bytes: int = 0) -> tuple[int, int]:
        """Run an action in a separate process. Returns its exit code (below 0: the signal) and the number of steps.

        `step`: die at this step. `file_bytes`: die when a file becomes larger. 0: do not die.
        """
        settings = {"data_dir": str(plant.settings.data_dir), "landing_url": plant.settings.landing_url}
        server = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        order = {"settings": settings, "server": server, "action": action, "step": step, "file_bytes": file_bytes}
        code, steps = self.order(order)
        return code, steps


def _serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            _die_or_do(order, write_end)
        os.close(write_end)
        with os.fdopen(read_end) as told:
            steps = told.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), int(steps or order["step"])]), flush=True)


def _die_or_do(order: dict[str, Any], write_end: int) -> None:
    steps = count(1)
    taken = 0

    def step(frame: FrameType, event: str, what: Any) -> None:
        nonlocal taken
        if frame.f_code.co_filename in WATCHED and (event == "call" or getattr(what, "__name__", "") in CHANGES):
            taken = next(steps)
            if taken == order["step"]:
                os.kill(os.getpid(), signal.SIGKILL)

    status = 1
    try:
        os.environ.update(order["server"])
        settings = Settings(**order["settings"])
        if order["file_bytes"]:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"], order["file_bytes"]))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        batch.CHUNK_OBJECTS = 2
        threading.setprofile(step)
        sys.setprofile(step)
        with warehouse_lock(settings):
            if order["action"] == "land":
                batch.land(settings, NOW)
            else:
                replay.replay_rejected(settings)
        sys.setprofile(None)
        os.write(write_end, str(taken).encode())
        status = 0
    except Exception:  # noqa: BLE001  # shown by the test that fails
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    _serve()
