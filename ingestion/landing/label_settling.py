"""Decides which labels have their event. The decision depends on the stored rows and the time, not on arrival order.

A label lands as accepted, because its event may arrive later. It waits in `raw.labels`. If no event with its key has
arrived 30 days after its landing, it moves to the rejected records; if the event arrives after all, it moves back. Its
object's counts follow, so that `records = accepted + rejected` always holds. A batch settles all labels in one
transaction, and settling again changes nothing. A label of an audit waits for nothing, because it names no event.
"""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from ingestion.contract.event_key import EVENT_KEY_SQL
from ingestion.contract.events import Refusal
from ingestion.contract.labels import AUDIT_KEY_PREFIX, TIME_TO_ARRIVE, UNKNOWN_EVENT_KEY, judge_label
from ingestion.reading.labels import LABEL_COLUMNS, columns_of_label
from ingestion.warehouse import changed_minutes_of, changed_objects_of, transaction

# The bounds let the database skip other days of a long history.
_CHANGED_EVENTS = """(
    select events.*
    from raw.events as events
    semi join raw.changed_minutes as changed
        on events.site_id = changed.site_id and date_trunc('minute', events.event_at) = changed.minute
    where
        events.event_at >= (select min(minute) from raw.changed_minutes)
        and events.event_at < (select max(minute) from raw.changed_minutes) + interval 1 minute
)"""

_STORED_LABELS = pa.schema([field.with_name(field.name.replace("_index", "_id")) for field in LABEL_COLUMNS])


def settle_labels(connection: duckdb.DuckDBPyConnection, now: datetime) -> int:
    """Find the labels' events, reject labels that waited too long, and restore those whose event has arrived.

    Returns how many labels are waiting for their event. The caller holds the lock.
    """
    with transaction(connection):
        find_labelled_events(connection)
        _reject_overdue(connection, now)
        _take_back(connection)
        row = connection.execute(
            "select count(*) from raw.labels inner join raw.labelled_keys using (event_key) where event_at is null"
        ).fetchone()
    return row[0] if row else 0


def find_labelled_events(connection: duckdb.DuckDBPyConnection) -> None:
    """Store the events of labelled keys that had none, if there are such keys. The caller has begun a transaction.

    A new key is looked up once among all events; later only among events of the minutes that changed since the last
    build. Code that adds events calls this before a build clears these minutes.
    """
    connection.execute(
        f"""
        create or replace temp table unknown_keys as select event_key from raw.labelled_keys where event_at is null;
        create or replace temp table new_keys as
            select distinct event_key from raw.labels anti join raw.labelled_keys using (event_key)
            where not starts_with(event_key, '{AUDIT_KEY_PREFIX}');
        insert into raw.labelled_keys (event_key) from new_keys;
        """
    )
    _search(connection, "unknown_keys", _CHANGED_EVENTS)
    _search(connection, "new_keys", "raw.events")


def forget_lost_events(connection: duckdb.DuckDBPyConnection) -> None:
    """Let labels wait whose event is no longer stored, as objects were read again under another mapping."""
    row = connection.execute("select count(*) from raw.labelled_keys where event_at is not null").fetchone()
    if row and row[0]:
        connection.execute(
            "update raw.labelled_keys set site_id = null, event_at = null "
            f"where event_at is not null and event_key not in (select {EVENT_KEY_SQL} from raw.events)"
        )


def _search(connection: duckdb.DuckDBPyConnection, keys: str, events: str) -> None:
    row = connection.execute(f"select count(*) from {keys}").fetchone()
    if not row or not row[0]:
        return
    connection.execute(
        f"""
        create or replace temp table found as
        select {EVENT_KEY_SQL} as event_key, any_value(site_id) as site_id, any_value(event_at) as event_at
        from {events}
        where {EVENT_KEY_SQL} in (select event_key from {keys})
        group by all
        """
    )
    connection.execute(
        "update raw.labelled_keys set site_id = found.site_id, event_at = found.event_at from found "
        "where labelled_keys.event_key = found.event_key"
    )
    # The marts hold every event of the review sample; an event that a person picked by hand has to be looked up.
    connection.execute(
        changed_minutes_of("(select found.* from found, raw.settings where event_key >= review_keys_below)")
    )


def _reject_overdue(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    connection.execute(
        """
        create or replace temp table overdue as
        select labels.*
        from raw.labels
        inner join raw.landed_objects using (object_id)
        inner join raw.labelled_keys using (event_key)
        where labelled_keys.event_at is null and landed_objects.landed_at <= $landed_until::timestamptz
        """,
        {"landed_until": now - TIME_TO_ARRIVE},
    )
    connection.execute(
        f"""
        insert into raw.rejected_records by name
        select
            object_id,
            position,
            part,
            $reason as reason,
            'No event of the key "' || event_key || '" came within {TIME_TO_ARRIVE.days} days after the label.'
                as detail,
            payload,
            $now::timestamptz as rejected_at
        from overdue
        """,
        {"reason": UNKNOWN_EVENT_KEY, "now": now},
    )
    connection.execute(
        "delete from raw.labels using overdue "
        "where labels.object_id = overdue.object_id and labels.position = overdue.position "
        "and labels.part = overdue.part"
    )
    _move_counts(connection, "overdue", -1)


def _take_back(connection: duckdb.DuckDBPyConnection) -> None:
    rejected = connection.execute(
        """
        select object_id, position, part, payload, landed_at
        from raw.rejected_records
        inner join raw.landed_objects using (object_id)
        where reason = $reason
        order by object_id, position, part
        """,
        {"reason": UNKNOWN_EVENT_KEY},
    ).fetchall()
    if not rejected:
        return
    arrived = {
        key
        for (key,) in connection.execute(
            "select event_key from raw.labelled_keys where event_at is not null"
        ).fetchall()
    }
    labels = []
    for object_id, position, part, payload, landed_at in rejected:
        label, _ = judge_label(payload.encode("utf-8"), landed_at.astimezone(UTC))
        if not isinstance(label, Refusal) and label.event_key in arrived:
            labels.append(columns_of_label(label, payload, object_id, position, part))
    if labels:
        connection.register("taken_back", _stored(labels))
        connection.execute("insert into raw.labels by name select * from taken_back")
        connection.execute(
            "delete from raw.rejected_records using taken_back "
            "where rejected_records.object_id = taken_back.object_id "
            "and rejected_records.position = taken_back.position and rejected_records.part = taken_back.part"
        )
        _move_counts(connection, "taken_back", +1)
        connection.unregister("taken_back")


def _stored(labels: list[dict[str, object]]) -> pa.Table:
    """Labels as rows of raw.labels, their `object_index` being the object's id."""
    return pa.Table.from_pylist(
        [{"object_id": label["object_index"], **label} for label in labels], schema=_STORED_LABELS
    )


def _move_counts(connection: duckdb.DuckDBPyConnection, moved: str, direction: int) -> None:
    """Adjust the objects' counts for the table `moved`: +1 for a record accepted now, -1 for one rejected now."""
    connection.execute(changed_objects_of(f"raw.landed_objects semi join {moved} using (object_id)"))
    connection.execute(
        f"""
        update raw.landed_objects
        set accepted = accepted + $direction * moved.records, rejected = rejected - $direction * moved.records
        from (select object_id, count(*) as records from {moved} group by object_id) as moved
        where landed_objects.object_id = moved.object_id
        """,
        {"direction": direction},
    )
