"""Deliver alerts: published incidents go into the queue, and the queue goes to the sinks.

The file gets every message first. Then all other sinks are served in parallel, each for a bounded time. So a slow or
failing sink delays no other; it gets its remaining messages in a later turn.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import duckdb

from ingestion.settings import Settings
from quality.alerts.batches import incident_id, messages_of_batches, read_batches
from quality.alerts.messages import messages_of
from quality.alerts.outbox import AlertQueue, Entry
from quality.alerts.repairs import messages_of_repairs
from quality.alerts.settings import AlertSettings
from quality.alerts.sinks import NotDelivered, Send, build_sinks

# Dagster ends a sensor's turn after 60 s.
LONGEST_TURN_SECONDS = 40.0
_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of one turn: the messages sent, the messages that still wait, and one sentence for each problem."""

    sent: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()


def deliver(settings: Settings, alerts: AlertSettings, now: float) -> Delivery:
    """One turn: queue new openings and closings, then send all messages due at `now` (seconds since 1970).

    After 40 s no sink begins another message, and a message counts as failed 2 s after the time-out. If another process
    is delivering at this moment, this turn does nothing.
    """
    outbox = AlertQueue(settings.alerts_folder)
    with outbox.lock() as is_ours:
        if not is_ours:
            return Delivery()
        _take(outbox, settings, alerts)
        sinks = build_sinks(alerts, settings.alerts_path)
        entries = outbox.pending()
        for entry in entries:
            # A sink that is no longer configured can never confirm.
            entry.waiting = [name for name in entry.waiting if name in sinks]
        turn = _Turn(outbox, [entry for entry in entries if entry.is_due(now)], now)
        turn.serve("file", sinks.pop("file"))
        threads = {
            name: Thread(target=turn.serve, args=(name, send), name=f"alerts {name}", daemon=True)
            for name, send in sinks.items()
        }
        for thread in threads.values():
            thread.start()
        patience = min(alerts.timeout_seconds, LONGEST_TURN_SECONDS) + _GRACE_SECONDS
        while any(thread.is_alive() and not turn.is_stuck(name, patience) for name, thread in threads.items()):
            time.sleep(0.02)
        return turn.end(entries)


class _Turn:
    """Sends the due entries to the sinks in parallel. `end` closes the turn, even if a sink has not answered yet."""

    def __init__(self, outbox: AlertQueue, due: Sequence[Entry], now: float) -> None:
        self._outbox = outbox
        self._due = due
        self._now = now
        self._lock = Lock()
        self._is_over = False
        self._sent = 0
        self._notes: list[str] = []
        self._failures: dict[str, list[NotDelivered]] = defaultdict(list)
        self._at_work: dict[str, list[Entry]] = {}
        self._sending_since: dict[str, float] = {}

    def serve(self, name: str, send: Send) -> None:
        """Send one sink its messages in order, until it does not answer or `LONGEST_TURN_SECONDS` have passed."""
        waiting = [entry for entry in self._due if name in entry.waiting]
        started = time.monotonic()
        with self._lock:
            self._at_work[name] = waiting
        away: NotDelivered | None = None
        for entry in list(waiting):
            note = ""
            failure = away
            if away is None:
                self._sending_since[name] = time.monotonic()
                if self._sending_since[name] - started > LONGEST_TURN_SECONDS:
                    break
                try:
                    note = send(entry.message)
                except NotDelivered as error:
                    failure = error
                    away = error if error.is_away else None
                except Exception as error:  # noqa: BLE001  # an error of one sink must not stop the others
                    failure = NotDelivered(f"the sink {name} failed: {type(error).__name__}")
            with self._lock:
                if self._is_over:
                    return
                waiting.remove(entry)
                if failure is not None:
                    self._failures[entry.message.key].append(failure)
                    continue
                entry.waiting.remove(name)
                entry.sent[name] = self._now
                self._sent += 1
                self._notes += [note] if note else []
                self._outbox.write(entry)  # at once: an unrecorded delivery would be repeated
        with self._lock:
            del self._at_work[name]

    def is_stuck(self, name: str, seconds: float) -> bool:
        """Whether one message takes a sink longer. A socket's time-out counts from byte to byte, so it is no limit."""
        return time.monotonic() - self._sending_since.get(name, math.inf) > seconds

    def end(self, entries: Sequence[Entry]) -> Delivery:
        """Close the turn and store failures. Sinks still sending count as failed; their later answers are ignored."""
        with self._lock:
            self._is_over = True
            for name, unanswered in self._at_work.items():
                for entry in unanswered:
                    self._failures[entry.message.key].append(NotDelivered(f"the sink {name} did not answer in time"))
            for entry in entries:
                failures = self._failures.get(entry.message.key, [])
                if failures:
                    sentence = "; ".join(str(one) for one in failures)
                    entry.failed(sentence, self._now, max(one.wait_seconds for one in failures))
                self._outbox.write(entry)
            told = [str(one) for failures in self._failures.values() for one in failures]
            return Delivery(
                self._sent, sum(bool(entry.waiting) for entry in entries), tuple(dict.fromkeys([*told, *self._notes]))
            )


def _take(outbox: AlertQueue, settings: Settings, alerts: AlertSettings) -> None:
    batches = read_batches(settings)
    repairs = messages_of_repairs(settings)
    for message in (*messages_of_batches(batches, settings.site_url), *repairs):
        outbox.take(message, alerts.sinks)
    path = settings.published_path / "incidents.parquet"
    incidents = read_incidents(path)
    if not incidents:
        return
    newest: datetime = max(row["judged_until"] for row in incidents)
    for row in incidents:
        for message in messages_of(row, newest, settings.site_url):
            outbox.take(message, alerts.sinks)
    kept = {incident_id(batches), *(message.incident_id for message in repairs)}
    outbox.forget({*kept, *(str(row["incident_id"]) for row in incidents)})


def read_incidents(path: Path) -> list[dict[str, Any]]:
    """The rows of the published mart, oldest first; empty if nothing is published yet."""
    if not path.exists():
        return []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.execute(
            """
            select *, greatest(max(opened_at) over (), max(closed_at) over ()) as judged_until
            from read_parquet($path) order by opened_at, incident_id
            """,
            {"path": str(path)},
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
