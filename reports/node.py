"""Finds a suitable Node and runs its commands with progress lines. Knows nothing about what is built."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import ReportError

SMALLEST_NODE = 20
_TAIL_LINES = 30


@dataclass(frozen=True)
class Node:
    """A Node of version 20 or newer; `npm` is the one beside it."""

    node: Path
    npm: Path

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """A process environment in which scripts find this Node first, with telemetry disabled."""
        return {
            **os.environ,
            "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "SEND_ANONYMOUS_USAGE_STATS": "no",
            "NO_UPDATE_NOTIFIER": "1",
            **extra,
        }


def find_node(search_path: str | None = None) -> Node:
    """The Node on PATH if it is new enough, else the one beside this Python.

    Raises ReportError if neither is suitable.
    """
    beside_python = str(Path(sys.executable).parent)
    for path in (search_path if search_path is not None else os.environ.get("PATH", os.defpath), beside_python):
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node and npm and _major_version(node) >= SMALLEST_NODE:
            return Node(Path(node), Path(npm))
    raise ReportError(
        f"The report pages need Node {SMALLEST_NODE} or newer with npm, "
        f"and there is none on PATH or beside {sys.executable}."
    )


def _major_version(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", answer)
    return int(match.group(1)) if match else 0


def run_logged(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log_file: Path,
    what: str,
    log: Callable[[str], None],
    heartbeat_seconds: float = 10,
) -> None:
    """Run a command, its output going to `log_file`, with a line through `log` every `heartbeat_seconds`.

    `what` describes the work, e.g. "building the report pages". Raises ReportError with the most informative line of
    output if the command fails. The command and its children end with this call, even if it is interrupted.
    """
    started = time.monotonic()
    log(f"{what} …")
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    status = process.wait(timeout=heartbeat_seconds)
                    break
                except subprocess.TimeoutExpired:
                    log(f"{what} … {time.monotonic() - started:.0f} s")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if status != 0:
        raise ReportError(
            f"{what[0].upper()}{what[1:]} failed with status {status} ({_last_words(log_file)}); "
            f"all of its output is in {log_file}."
        )
    log(f"{what}: done in {time.monotonic() - started:.0f} s")


def _last_words(log_file: Path) -> str:
    """The first line near the end that names an error, else the last line."""
    with log_file.open(encoding="utf-8", errors="replace") as file:
        lines = deque((line.strip() for line in file if line.strip()), maxlen=_TAIL_LINES)
    for pattern in (r"^\w*Error: .", r"(?i)\berror\b(?!.*complete log)", r""):
        telling = [line for line in lines if re.search(pattern, line)]
        if telling:
            return telling[0 if pattern else -1][:200]
    return "it said nothing"
