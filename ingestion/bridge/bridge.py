"""The bridge's rounds: connect, gather a group, make it durable, acknowledge it.

While the spool refuses, nothing is read and nothing acknowledged: the broker keeps the messages, and memory holds one
group at most. A broker that is away is asked again after a growing wait with full jitter.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from ingestion.bridge.connection import LASTING_SECONDS, Connection, tls_context
from ingestion.bridge.errors import BridgeBusyError, BrokerError
from ingestion.bridge.ledger import Ledger
from ingestion.bridge.settings import BridgeSettings
from ingestion.bridge.status import BRIDGE_LOCK, report_line
from ingestion.bridge.taking import Taking
from ingestion.edge import disk
from ingestion.edge.backoff import Backoff
from ingestion.edge.errors import SpoolError
from ingestion.edge.ledger import instant
from ingestion.edge.spool import Spool, utc_now

LOCK_ATTEMPTS = 20  # `status` holds the lock for a moment to see whether it is free
LOCK_PAUSE_SECONDS = 0.05

_log = logging.getLogger("floorhouse.bridge")


class Bridge:
    """`run` takes messages until it is stopped."""

    def __init__(
        self,
        settings: BridgeSettings,
        spool: Spool,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.settings, self.spool = settings, spool
        self.ledger = Ledger.read(spool.folder)
        self.ledger.connected_since = self.ledger.paused = None
        self._context = tls_context(settings)
        self._filters = [pattern.topic_filter for pattern in settings.patterns]
        self._taking = Taking(spool, settings.patterns, self.ledger, now)
        self._now, self._monotonic, self._chance = now, monotonic, chance
        self._backoff = Backoff(settings.retry_base_seconds, settings.retry_max_seconds)
        self._connection: Connection | None = None
        self._connected_at = self._paused_at = 0.0
        self._next_write = self._next_report = monotonic()

    def run(self, stop: threading.Event) -> None:
        """Take messages until `stop` is set. What is not acknowledged then stays with the broker."""
        with self._only_bridge():
            while not stop.is_set():
                self._round(stop)
                self._tell()
            self._store()
            if self._connection is not None:
                self._connection.close()
            self.ledger.connected_since = None
            self._tell(is_last=True)

    def _round(self, stop: threading.Event) -> None:
        poll_seconds = self.spool.settings.poll_seconds
        try:
            if not self._store():
                if self._connection is not None:
                    self._connection.keep()
                stop.wait(poll_seconds)
            elif self._connection is not None:
                self._taking.add(self._connection.gather(poll_seconds))
            elif self._backoff.is_due(self._monotonic()):
                self._connect(stop)
            else:
                stop.wait(min(poll_seconds, max(0.0, self._backoff.next_attempt - self._monotonic())))
        except BrokerError as error:
            if not stop.is_set():
                self._lose(error)

    def _connect(self, stop: threading.Event) -> None:
        connection = Connection(self.settings, self._context)
        session = {"broker": self.settings.broker_url, "client_id": self.settings.client_id}
        subscribed = self.ledger.subscribed
        is_known = all(subscribed.get(name) == value for name, value in session.items())
        connection.open(self._filters, subscribed["filters"] if is_known else [], stop)
        self._connection, self._connected_at = connection, self._monotonic()
        self.ledger.subscribed = {**session, "filters": self._filters}
        self.ledger.connections += 1
        self.ledger.connected_since = instant(self._now())
        self.ledger.write(self.spool.folder)
        _log.info("connected to %s, topics %s", self.settings.broker_url, ", ".join(self._filters))

    def _lose(self, error: BrokerError) -> None:
        """The broker sends again what was not acknowledged. What is not durable stays here all the same, since a broker
        that was killed may have lost it.
        """
        self.ledger.note_error(error, self._now())
        if self._connection is not None and self._monotonic() - self._connected_at >= LASTING_SECONDS:
            self._backoff.succeeded()
        self._connection = self.ledger.connected_since = None
        self._taking.forget_durable()
        delay = self._backoff.failed(self._monotonic(), self._chance())
        _log.warning("attempt %d at %s in %.1f s", self._backoff.failures, self.settings.broker_url, delay)

    def _store(self) -> bool:
        """Make the group durable and acknowledge it; False while the spool refuses."""
        if not self._taking:
            return True
        try:
            self._taking.store()
        except SpoolError as error:
            self._pause(error)
        else:
            self._go_on()
        if self._connection is None:
            self._taking.forget_durable()
        else:
            self._connection.acknowledge(self._taking.acknowledged())
        return not self._taking

    def _pause(self, error: SpoolError) -> None:
        if self.ledger.paused is None:
            self._paused_at = self._monotonic()
            text = f"Nothing is taken, and the broker keeps its messages: {error}"
            _log.error("%s", text)
            self.ledger.paused = {"since": instant(self._now()), "text": text}
            self.ledger.last_error = {"at": instant(self._now()), "text": str(error)}

    def _go_on(self) -> None:
        if self.ledger.paused is not None:
            self.ledger.paused = None
            _log.info("messages are taken again after %.0f s", self._monotonic() - self._paused_at)

    def _tell(self, is_last: bool = False) -> None:
        now = self._monotonic()
        if is_last or now >= self._next_write:
            self.ledger.write(self.spool.folder)
            self._next_write = now + self.spool.settings.poll_seconds
        if is_last or now >= self._next_report:
            _log.info("%s", report_line(self.ledger))
            self._next_report = now + self.spool.settings.report_seconds

    @contextmanager
    def _only_bridge(self) -> Iterator[None]:
        descriptor = None
        for attempt in range(LOCK_ATTEMPTS):
            if attempt:
                time.sleep(LOCK_PAUSE_SECONDS)
            descriptor = disk.try_lock(self.spool.folder / BRIDGE_LOCK)
            if descriptor is not None:
                break
        else:
            raise BridgeBusyError(f"Another bridge works on the spool {self.spool.folder}.")
        try:
            yield
        finally:
            os.close(descriptor)
