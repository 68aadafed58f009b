"""The closed database that mappings run in: no files, no network, bounded memory and time.

Knows nothing about slices of records. `checking.py` refuses a text before it runs here.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from ingestion.mapping.mapping import MappingError

MEMORY = "1GiB"
SECONDS = 60.0

# `object_key` is an argument so that no result depends on which objects are read together.
_MACROS = (
    """
    create macro is_change(state, object_key, subject, moment, position) as (
        row_number() over (partition by object_key, subject order by moment, position) = 1
        or state is distinct from lag(state) over (partition by object_key, subject order by moment, position)
    )
    """,
    """
    create macro is_first_of(seconds, object_key, subject, moment, position) as (
        row_number() over (
            partition by object_key, subject, floor(epoch(moment) / seconds) order by moment, position
        ) = 1
    )
    """,
)
MACROS = ("is_change", "is_first_of")
RECORDS = "create or replace table records (record json, object_key varchar, position bigint, arrived_at timestamptz)"

_LINE = re.compile(r"\n+LINE ([0-9]+):")
_KIND = re.compile(r"\A[A-Za-z ]+ (?:Error|Exception): ")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


class ClosedDatabase:
    """One in-memory database with the table `records` and the macros. Use it from one thread at a time."""

    def __init__(self, memory: str = MEMORY, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        threads = max(len(os.sched_getaffinity(0)) // 2, 1)  # the other stages of landing need cores as well
        self.connection = duckdb.connect(
            config={
                "enable_external_access": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
                "temp_directory": "",
                "memory_limit": memory,
                "threads": threads,
            }
        )
        self.connection.execute("set timezone = 'UTC'")
        for macro in _MACROS:
            self.connection.execute(macro)
        self.connection.execute(RECORDS)
        self.connection.execute("set lock_configuration = true")

    def close(self) -> None:
        """Release its memory."""
        self.connection.close()

    @contextmanager
    def bounded(self, key: str, lines_before: int, *, hides_values: bool) -> Iterator[None]:
        """Run the block, which executes the mapping of a file, within the bounds.

        `lines_before` is the number of lines that stand before the mapping's text in what is executed. With
        `hides_values`, quoted values do not appear in the message: they may be about persons.

        Raises:
            MappingError: the database refuses the statement, or it needs too much time or memory.
        """
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            self.connection.interrupt()

        watchdog = threading.Timer(self._seconds, stop)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except (duckdb.Error, UnicodeDecodeError, MemoryError) as error:
            if is_late.is_set():
                raise MappingError(f"{key}: it ran for more than {self._seconds:g} seconds, the maximum.") from error
            raise MappingError(sentence_of(key, error, lines_before, hides_values=hides_values)) from error
        finally:
            watchdog.cancel()


def sentence_of(key: str, error: Exception, lines_before: int, *, hides_values: bool = False) -> str:
    """A database's error as one sentence: file, line and reason."""
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return f"{key}: it needs more than {MEMORY} of memory, the maximum."
    text = str(error)
    line = _LINE.search(text)
    place = f", line {max(int(line[1]) - lines_before, 1)}" if line else ""
    reason = " ".join(_KIND.sub("", text[: line.start()] if line else text).split("\n")[0].split()).rstrip(".!")
    if hides_values:
        reason = _QUOTED.sub("'…'", reason)
    return f"{key}{place}: {reason or 'the database cannot run it'}."
