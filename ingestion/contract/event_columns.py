"""How an accepted event is stored: the columns of raw.events that hold the fields of `Event`, each declared once.

The table, the columns that the fast reading fills and the row that is made of one `Event` all follow from this list.
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column: its name, the field of `Event` that it holds, its SQL type, and whether every event has a value."""

    name: str
    field: str
    sql_type: str
    is_required: bool = True


COLUMNS = (
    Column("event_at", "timestamp", "timestamptz"),
    Column("site_id", "site_id", "varchar"),
    Column("camera_id", "camera_id", "varchar"),
    Column("worker_id", "worker_id", "varchar", is_required=False),  # none where the event is the station's own
    Column("workstation_id", "workstation_id", "varchar"),
    Column("event_type", "event_type", "varchar"),
    Column("event_id", "event_id", "varchar", is_required=False),
    Column("confidence", "confidence", "double"),
    Column("unit_count", "count", "bigint"),  # 0 where there is a `count_total`
    Column("count_total", "count_total", "bigint", is_required=False),
    Column("model_name", "model_name", "varchar"),
    Column("model_version", "model_version", "varchar"),
)


def sql_columns() -> str:
    """The columns as a table's definition lists them."""
    return ", ".join(f"{one.name} {one.sql_type}{' not null' if one.is_required else ''}" for one in COLUMNS)
