"""The warm process: it has imported what a batch needs, and runs one batch for each line on its standard input.

A new process spends more time on imports than on a small batch. The watcher starts this process, and starts another one
when it has ended. A batch commits by transactions, so nothing is lost when the process is killed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ingestion.errors import FloorhouseError
from ingestion.memory import MEGABYTE
from ingestion.signals import end_with, restore_signals
from orchestration.commands.run import run_batch
from orchestration.dbt.manifest import load_manifest

# After so many batches, or with more memory than this, the process ends and the watcher starts a new one. Libraries
# keep some memory with each batch, and a large batch may keep much.
MOST_BATCHES = 500
MOST_MEMORY = 1_200 * MEGABYTE

_USED_BY_A_BATCH = (
    "great_expectations",
    "orchestration.definitions",
    "orchestration.outcome",
    "orchestration.progress",
    "orchestration.summary",
    "quality.alerts.deliver",
    "quality.judge",
    "reports.site",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run batches until standard input ends. Writes the exit status of each batch as a line to `--answers`.

    The word `last` behind a status says that the process ends now.
    """
    parser = argparse.ArgumentParser(prog="python -m orchestration.live.worker", description="Runs batches on request.")
    parser.add_argument("--answers", type=int, required=True, help="the descriptor for the exit status of each batch")
    options = parser.parse_args(arguments)
    restore_signals()
    end_with(os.getppid())
    _warm_up()
    with open(options.answers, "w", encoding="utf-8") as answers:
        for number in range(1, MOST_BATCHES + 1):
            if not sys.stdin.readline():
                break
            status = _run()
            is_last = number == MOST_BATCHES or memory_in_use() > MOST_MEMORY
            print(status, "last" if is_last else "", file=answers, flush=True)
            if is_last:
                break
    return 0


def _run() -> int:
    try:
        return run_batch(with_site=True)
    except FloorhouseError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_status


def _warm_up() -> None:
    """Import what a batch imports, and read the parsed models."""
    for name in _USED_BY_A_BATCH:
        import_module(name)
    load_manifest()


def memory_in_use(status: Path = Path("/proc/self/status")) -> int:
    """The bytes of memory that this process holds now; 0 where the system does not say."""
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


if __name__ == "__main__":
    sys.exit(main())
