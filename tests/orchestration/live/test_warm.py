"""The warm process from the watcher's side: it answers, it wears out, it is killed, it cannot start."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.live import worker
from orchestration.live.warm import LOST, PAUSE_SECONDS, WarmProcess, code_on_disk

# A worker that notes its process id, and answers each request with the next line of a file.
_WORKER = """
import os, sys
answers, folder = open(int(sys.argv[3]), "w"), sys.argv[1]
with open(folder + "/started", "a") as started:
    print(os.getpid(), file=started)
for answer in open(folder + "/answers"):
    if not sys.stdin.readline():
        break
    print(answer.strip(), file=answers, flush=True)
    if "last" in answer:
        break
"""


class Bench:
    """A warm process whose program, clock and code the test chooses."""

    def __init__(self, folder: Path, *answers: str) -> None:
        self.folder, self.seconds, self.code = folder, 0.0, 1
        (folder / "answers").write_text("".join(f"{answer}\n" for answer in answers))
        self.process = WarmProcess(
            [sys.executable, "-c", _WORKER, str(folder)], code=lambda: self.code, clock=lambda: self.seconds
        )

    def started(self) -> list[int]:
        """The process ids of all processes that were started so far."""
        path = self.folder / "started"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def batch(self) -> int:
        self.process.ask()
        return self.process.answer()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, "0", "1", "0 last", "0")
    yield bench
    bench.process.end(10)


def test_one_process_answers_batch_after_batch_and_a_worn_out_one_is_replaced_ahead(bench: Bench) -> None:
    bench.process.ready()
    assert [bench.batch() for _ in range(3)] == [0, 1, 0]
    assert len(bench.started()) == 1
    bench.process.ready()
    assert bench.batch() == 0
    assert len(bench.started()) == 2


def test_a_killed_process_gives_no_status_and_the_next_batch_has_a_new_one(bench: Bench) -> None:
    assert bench.batch() == 0
    os.kill(bench.started()[0], signal.SIGSTOP)
    bench.process.ask()
    os.kill(bench.started()[0], signal.SIGKILL)
    assert bench.process.answer() == LOST
    assert bench.batch() == 0
    assert len(bench.started()) == 2


def test_a_process_that_ends_at_once_is_not_started_again_and_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)  # no answers: it ends after its start
    bench.process.ready()
    for _ in range(50):
        bench.process.ready()
        time.sleep(0.01)
        bench.seconds += 1
    assert len(bench.started()) <= 1
    assert bench.batch() == LOST  # the watcher asks for it again after a minute
    bench.seconds += PAUSE_SECONDS
    bench.process.ready()
    assert bench.batch() == LOST
    bench.process.end(10)


def test_changed_code_is_run_by_a_new_process(bench: Bench) -> None:
    assert bench.batch() == 0
    bench.code = 2
    assert bench.batch() == 0
    assert len(bench.started()) == 2


def test_the_code_of_a_batch_is_python_and_models(tmp_path: Path) -> None:
    for name in ("ingestion/a.py", "dbt_project/models/marts/b.sql", "dbt_project/target/c.sql", "data/d.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    before = code_on_disk(tmp_path)
    assert len(before) == 2
    os.utime(tmp_path / "ingestion/a.py", (1, 1))
    assert code_on_disk(tmp_path) != before
    assert len(code_on_disk()) > 300


def test_the_memory_of_a_process_is_read(tmp_path: Path) -> None:
    assert 10_000_000 < worker.memory_in_use() < 10_000_000_000
    assert worker.memory_in_use(tmp_path / "status") == 0
