"""The warehouse's schema version, and the migration steps from each version to the next.

`warehouse.py` defines the current tables. Derived tables are not migrated but recomputed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from ingestion.durable import put_in_place
from ingestion.errors import WarehouseError

# Each step takes a warehouse from its version to the next; the first one upgrades Floorhouse 0.1.0 (version 1) to
# version 2. A change of a table in warehouse.py, or of one that survives a rebuild (such as `marts.incidents`), needs a
# new step. A published step is never changed. A new table needs no step.
STEPS: tuple[str, ...] = (
    "alter table raw.settings add column if not exists review_keys_below varchar",
    """
    alter table raw.events alter column worker_id drop not null;
    alter table raw.events add column event_id varchar;
    alter table raw.events add column count_total bigint;
    alter table raw.sites add column people varchar;
    """,
    """
    alter table raw.shifts add column weekdays varchar;
    alter table raw.targets add column weekdays varchar;
    alter table raw.workstations add column line varchar;
    """,
    """
    alter table raw.events add column part integer default 1;
    alter table raw.events alter part drop default;
    alter table raw.labels add column part integer default 1;
    alter table raw.labels alter part drop default;
    alter table raw.rejected_records add column part bigint default 1;
    alter table raw.rejected_records alter part drop default;
    alter table raw.rejected_records add column superseded_at timestamptz;
    update raw.rejected_records set superseded_at = later.landed_at
    from (
        select earlier.object_id, min(later.landed_at) as landed_at
        from raw.landed_objects as earlier
        inner join raw.landed_objects as later
            on earlier.object_key = later.object_key and earlier.object_id < later.object_id
        group by earlier.object_id
    ) as later
    where rejected_records.object_id = later.object_id;
    """,
    """
    alter table raw.landed_objects add column mapping varchar;
    alter table raw.landed_objects add column source_records bigint;
    alter table raw.landed_objects add column skipped_records bigint default 0;
    alter table raw.landed_objects alter skipped_records drop default;
    update raw.landed_objects set source_records = records;
    """,
)

NEWEST = 1 + len(STEPS)

_COPY = "warehouse-before-"


def is_older(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether the warehouse must be upgraded before use. A warehouse without tables counts as current.

    Raises:
        WarehouseError: a newer program wrote it; nothing was changed.
    """
    version = stored_version(connection)
    if version > NEWEST:
        raise WarehouseError(
            f"The warehouse {path} was written by a newer Floorhouse (schema version {version}, this one knows "
            f"{NEWEST}); start that one, or this one with the copy that was made before the upgrade."
        )
    return version < NEWEST


def keep_copy(path: Path, version: int) -> Path:
    """Copy a warehouse that no process has open to a file beside it, replacing the copies of earlier upgrades.

    Raises:
        WarehouseError: there is no space for the copy; nothing was changed.
    """
    copy = path.with_name(f"{_COPY}{version + 1}.duckdb")
    arriving = copy.with_name(f"{copy.name}.new")
    try:
        shutil.copyfile(path, arriving)
        put_in_place(arriving, copy)
    except OSError as error:
        arriving.unlink(missing_ok=True)
        raise WarehouseError(
            f"The warehouse {path} is of an earlier version and must be upgraded, but cannot be copied before that "
            f"({error.strerror}); it needs {path.stat().st_size:,} bytes, and nothing was changed."
        ) from error
    for other in _copies(path):
        if other != copy:
            other.unlink()
    return copy


def remove_copies(path: Path) -> None:
    """Delete the copies that `keep_copy` made: they contain all data of the warehouse, including persons."""
    for copy in _copies(path):
        copy.unlink()


def is_copy(path: Path) -> bool:
    """Whether a file is a complete or partial copy made by `keep_copy`."""
    return path.name.startswith(_COPY)


def upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Apply the missing steps in the caller's transaction, and make the next build recompute everything."""
    for step in STEPS[stored_version(connection) - 1 :]:
        connection.execute(step)
    if _has_table(connection, "build", "state"):
        connection.execute("update build.state set models = ''")
    _write_version(connection)


def remember_version(connection: duckdb.DuckDBPyConnection) -> None:
    """Store the current schema version in a new warehouse."""
    if not _has_table(connection, "raw", "schema_version"):
        _write_version(connection)


def stored_version(connection: duckdb.DuckDBPyConnection) -> int:
    """The schema version of an open warehouse; 1 if none is stored."""
    if _has_table(connection, "raw", "schema_version"):
        row = connection.execute("select max(version) from raw.schema_version").fetchone()
        return int(row[0]) if row else 1
    return 1 if _has_table(connection, "raw", "landed_objects") else NEWEST


def _write_version(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"create or replace table raw.schema_version as select {NEWEST} as version")


def _copies(path: Path) -> list[Path]:
    return [each for each in path.parent.iterdir() if is_copy(each)]


def _has_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    # Asked of the catalog: a failed query would abort the transaction of an upgrade.
    row = connection.execute(
        "select count(*) from duckdb_tables() "
        "where database_name = current_database() and schema_name = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    return row != (0,)
