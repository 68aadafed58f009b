"""Deliver alerts: published incidents go into the queue, the queue goes to the sinks. A failing sink raises nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion.settings import Settings
from quality.alerts.batches import incident_id, messages_of_batches, read_batches
from quality.alerts.messages import messages_of
from quality.alerts.outbox import AlertQueue
from quality.alerts.repairs import messages_of_repairs
from quality.alerts.settings import AlertSettings
from quality.alerts.sinks import NotDelivered, build_sinks


@dataclass(slots=True)
class Delivery:
    """What one turn did: messages sent to a sink, those that still wait, and why, one sentence each."""

    sent: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()


def deliver(settings: Settings, alerts: AlertSettings, now: float) -> Delivery:
    """One turn: take new openings and closings, then try all that is due at `now` (seconds since 1970).

    If another process is delivering at this moment, this turn does nothing.
    """
    outbox = AlertQueue(settings.alerts_folder)
    delivery = Delivery()
    with outbox.lock() as is_ours:
        if not is_ours:
            return delivery
        _take(outbox, settings, alerts)
        sinks = build_sinks(alerts, settings.alerts_path)
        problems: list[str] = []
        for entry in outbox.pending():
            # A sink that is no longer configured can never confirm.
            entry.waiting = [name for name in entry.waiting if name in sinks]
            failure = ""
            for name in list(entry.waiting) if entry.not_before <= now else []:
                try:
                    sinks[name](entry.message)
                except NotDelivered as error:
                    failure = str(error)
                    continue
                entry.waiting.remove(name)
                entry.sent[name] = now
                delivery.sent += 1
                outbox.write(entry)  # at once: an unrecorded delivery would be repeated
            if failure:
                entry.failed(failure, now)
                problems.append(failure)
            outbox.write(entry)
            delivery.waiting += bool(entry.waiting)
        delivery.problems = tuple(dict.fromkeys(problems))
    return delivery


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
    """The rows of the published mart, oldest first; none where nothing is published yet."""
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
