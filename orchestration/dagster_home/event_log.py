"""Dagster's log of events in SQLite, over connections that stay open.

Dagster connects anew for each event, and SQLAlchemy compiles each statement anew for a new engine. A batch stores about
1,100 events, so both took a fifth of the processor time of a small batch. Dagster also commits each event up to four
times; here an event, or the events that Dagster hands over together, are one transaction of each file that they reach.
What is stored, and where, stays as it is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine

if TYPE_CHECKING:
    from dagster import EventLogEntry

# A process writes the file of its run and the index of all runs; the web server reads those of some runs more.
_MOST_ENGINES = 6


class EventLog(SqliteEventLogStorage):
    """Dagster's own storage, with an engine that is kept for each of the files used last."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._found_tables: set[str] = set()
        self._open: dict[str, Connection] = {}  # the connections of the transaction that runs, by file
        self._transaction: ExitStack | None = None
        super().__init__(base_dir, inst_data)
        self._db_lock: Any = threading.RLock()  # Dagster's own cannot be taken again by its holder

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> EventLog:
        """The storage that dagster.yaml names."""
        return cls(config_value["base_dir"], inst_data)

    def store_event(self, event: EventLogEntry) -> None:
        """Store one event in one transaction of each file."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all of these events or none of them."""
        with self._db_lock, ExitStack() as stack:
            self._transaction = stack
            try:
                for event in events:
                    super().store_event(event)
            finally:
                self._transaction, self._open = None, {}

    def has_table(self, table_name: str) -> bool:
        """Whether the index of all runs has this table. Dagster asks for each event; a table never goes away."""
        if table_name not in self._found_tables:
            with self.index_connection() as connection:
                if not connection.dialect.has_table(connection, table_name):
                    return False
            self._found_tables.add(table_name)
        return True

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if self._transaction is None:
                with self._begin(shard) as connection:
                    yield connection
                return
            if shard not in self._open:
                self._open[shard] = self._transaction.enter_context(self._begin(shard))
            yield self._open[shard]

    @contextmanager
    def _begin(self, shard: str) -> Iterator[Connection]:
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None)
        if engine is None:
            url = self.conn_string_for_shard(shard)
            engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
        self._engines[shard] = engine
        while len(self._engines) > _MOST_ENGINES:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def dispose(self) -> None:
        """Close every connection."""
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()
