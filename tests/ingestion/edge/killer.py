"""`python -m tests.ingestion.edge.killer WORK FOLDER`: kills a piece of work at each of its calls to the disk.

Each run is a new process that kills itself with SIGKILL at one call, and for a write also after half of it. FOLDER/<n>/
holds the state after the n-th kill, with the acknowledged events in the file `acknowledged`.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ingestion.edge.work import WORK, prepare

CALLS = ("open", "write", "fsync", "rename", "replace", "unlink", "mkdir", "ftruncate", "close")
MAX_POINTS = 1000


class Killer:
    """Counts the points at which this process may be killed."""

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0

    def is_now(self) -> bool:
        self.count += 1
        return self.count == self.at

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def killed_before(*arguments: Any, **options: Any) -> Any:
            if self.is_now():
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return killed_before

    def within_write(self, write: Callable[[int, Any], int]) -> Callable[[int, Any], int]:
        def killed_within(descriptor: int, content: Any) -> int:
            if self.is_now():
                write(descriptor, content[: len(content) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return write(descriptor, content)

        return killed_within


def work_and_die(name: str, folder: Path, at: int) -> None:
    prepare(folder)
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    write = os.write

    def acknowledge(n: int) -> None:
        write(acknowledged, b"%d\n" % n)

    killer = Killer(at)
    os.write = killer.within_write(os.write)
    for call in CALLS:
        setattr(os, call, killer.before(getattr(os, call)))
    fcntl.flock = killer.before(fcntl.flock)
    WORK[name](folder, acknowledge)


def main() -> None:
    name, base = sys.argv[1], Path(sys.argv[2])
    for at in range(1, MAX_POINTS):
        folder = base / str(at)
        folder.mkdir(parents=True)
        child = os.fork()
        if child == 0:
            work_and_die(name, folder, at)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            if os.WEXITSTATUS(status) != 0:
                sys.exit(f"the work failed at point {at}")
            return  # it ended before its n-th call, so all calls were tested
        if os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"killed by signal {os.WTERMSIG(status)} at point {at}")
    sys.exit("the work has no end")


if __name__ == "__main__":
    main()
