from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from orchestration.dagster_home.sqlite_files import tune_sqlite


def _write_rows(path: Path, mode: str, rows: int) -> int | None:
    """Write each row over a separate connection. Returns SQLite's number for how much it waits for the disk."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"pragma journal_mode = {mode}")
        connection.execute("create table written (number int)")
    connection.close()
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    level = None
    for number in range(rows):
        with engine.begin() as opened:
            opened.execute(text("insert into written values (:number)"), {"number": number})
            level = opened.execute(text("pragma synchronous")).scalar()
    return level


@pytest.fixture(autouse=True)
def _tuned() -> None:
    tune_sqlite()
    tune_sqlite()


def test_a_write_ahead_log_stays_between_connections_and_commits_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    assert _write_rows(tmp_path / "runs.db", "wal", rows=3) == 1
    assert (tmp_path / "runs.db-wal").stat().st_size > 0
    with sqlite3.connect(tmp_path / "runs.db") as reader:
        assert reader.execute("select count(*) from written").fetchone() == (3,)


def test_a_file_without_a_write_ahead_log_is_left_as_it_was(tmp_path: Path) -> None:
    assert _write_rows(tmp_path / "other.db", "delete", rows=1) == 2


def test_many_files_one_after_the_other_are_not_all_held_open(tmp_path: Path) -> None:
    for number in range(20):
        _write_rows(tmp_path / f"{number}.db", "wal", rows=1)
    assert len(list(tmp_path.glob("*-wal"))) < 10
