"""The records of a slice as columns, by one statement: DuckDB parses and checks on all cores, without a Python object.

The statement is run by a database of its own in memory: it needs nothing of the warehouse, runs beside what is stored
there, and may fail without ending the warehouse's transaction.

A record is plain when what was read of it obeys the rules of the contract's version 1; that nothing else stands in it
is for `proof.py` to show. Every rule here accepts a part of what `contract.py` accepts, with the same values; where the
two could differ (a timestamp written in an unusual way, a number as a text) a record is not plain, and is judged there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingestion.contract import (
    DEFAULT_SITE,
    EARLIEST,
    EVENT_TYPES,
    LATEST_AFTER_LANDING,
    MAX_COUNT,
    MAX_IDENTIFIER_LENGTH,
    OPTIONAL_FIELDS,
    REQUIRED_FIELDS,
    UNKNOWN,
    VERSION_FIELD,
    Folder,
    visible,
)
from ingestion.slices import Slice

# What an accepted record becomes, besides the object that it is of.
EVENT_COLUMNS = pa.schema(
    [
        ("object_index", pa.int32()),
        ("position", pa.int64()),
        ("event_at", pa.timestamp("us", tz="UTC")),
        ("site_id", pa.string()),
        ("camera_id", pa.string()),
        ("worker_id", pa.string()),
        ("workstation_id", pa.string()),
        ("event_type", pa.string()),
        ("confidence", pa.float64()),
        ("unit_count", pa.int64()),
        ("model_name", pa.string()),
        ("model_version", pa.string()),
    ]
)

# One thread takes one batch. DuckDB stores rows in groups of this size; other sizes cost it a fifth more.
_BATCH_RECORDS = 122_880
_NUMBERS = ("confidence", "count", VERSION_FIELD)  # read as JSON: its text keeps "1" and 1 and 1.0 and true apart
_FIELDS = (*REQUIRED_FIELDS, *OPTIONAL_FIELDS, VERSION_FIELD)
_STRUCTURE = "{" + ", ".join(f'"{name}": "{"JSON" if name in _NUMBERS else "VARCHAR"}"' for name in _FIELDS) + "}"

# Timestamps that DuckDB's cast and the contract read alike; all others are left to the exact reading.
_PLAIN_TIMESTAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)

_DEFAULTS = {
    "worker_id": "worker_id",
    "workstation_id": "workstation_id",
    "site_id": f"coalesce(read.site_id, folders.site_id, '{DEFAULT_SITE}')",
    "camera_id": f"coalesce(read.camera_id, folders.camera_id, '{UNKNOWN}')",
    "model_name": f"coalesce(model_name, '{UNKNOWN}')",
    "model_version": f"coalesce(model_version, '{UNKNOWN}')",
}
# Trimming copies a text, so it is done only where there is something to trim; what is below '!' may begin with a space.
_IDENTIFIERS = ", ".join(
    f"case when {text} < '!' or ends_with({text}, ' ') then trim({text}, ' ') else {text} end as {name}"
    for name, text in _DEFAULTS.items()
)
# Of a plain record all required fields are there, so that only the others are counted.
_OTHERS = [f"({name} is not null)::tinyint" for name in (*OPTIONAL_FIELDS, VERSION_FIELD) if name in _NUMBERS]
_OTHER_TEXTS = [f"(read.{name} is not null)::tinyint" for name in OPTIONAL_FIELDS if name not in _NUMBERS]
_REQUIRED_TEXTS = sum(name not in _NUMBERS for name in REQUIRED_FIELDS)

_STRICTLY = f"from_json(line, '{_STRUCTURE}')"  # fails on a line that is no JSON
_KINDLY = f"case when json_valid(line) then {_STRICTLY} end"  # as try() on one line repeats its whole vector

_PARSE = f"""
    with read as (
        select place, object_index, position, unnest($record) from lines
    ),

    typed as (
        select
            place,
            object_index,
            position,
            case
                when regexp_full_match(timestamp, '{_PLAIN_TIMESTAMP}') then try_cast(timestamp as timestamptz)
            end as event_at,
            {_IDENTIFIERS},
            event_type,
            try_cast(confidence::varchar as double) + 0.0 as confidence,
            case
                when count is null then 1
                when regexp_full_match(count, '[0-9]{{1,7}}') then count::varchar::bigint
            end as unit_count,
            {VERSION_FIELD}::varchar as version,
            ({" + ".join([str(_REQUIRED_TEXTS), *_OTHER_TEXTS])})::tinyint as texts,
            ({" + ".join([str(len(REQUIRED_FIELDS) - _REQUIRED_TEXTS), *_OTHERS])})::tinyint as numbers
        from read
        inner join folders using (object_index)
    )

    select
        place,
        {", ".join(EVENT_COLUMNS.names)},
        texts,
        texts + numbers as members,
        coalesce(
            (version is null or version = '1')
            and event_at between $earliest and $latest
            and event_type in {EVENT_TYPES}
            and confidence between 0 and 1
            and unit_count between 0 and {MAX_COUNT}
            and {" and ".join(f"length({name}) between 1 and {MAX_IDENTIFIER_LENGTH}" for name in _DEFAULTS)},
            false
        ) as is_plain
    from typed
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """The records of a slice as `EVENT_COLUMNS`, and what is known of each, all by its place."""

    events: pa.Table
    is_plain: npt.NDArray[np.bool_]
    members: npt.NDArray[np.int8]
    texts: npt.NDArray[np.int8]


def parse(
    records: Slice,
    left_out: list[int],
    key_folders: Mapping[int, Folder],
    landed_at: datetime,
    session: duckdb.DuckDBPyConnection,
    strictly: bool,
) -> Checked:
    """The records read as columns; those `left_out` are not plain there. `key_folders` is by the objects' indexes.

    `strictly` costs a tenth less.

    Raises:
        duckdb.InvalidInputException, UnicodeDecodeError: read strictly, a record is no JSON.
    """
    lines = _lines(records, left_out)  # noqa: F841  # DuckDB finds the tables by their names
    folders = pa.table(  # noqa: F841
        {
            "object_index": pa.array(key_folders, pa.int32()),
            "site_id": pa.array([_storable(folder.site_id) for folder in key_folders.values()], pa.string()),
            "camera_id": pa.array([_storable(folder.camera_id) for folder in key_folders.values()], pa.string()),
        }
    )
    statement = _PARSE.replace("$record", _STRICTLY if strictly else _KINDLY)
    range_of_time = {"earliest": EARLIEST, "latest": landed_at + LATEST_AFTER_LANDING}
    read = session.sql(statement, params=range_of_time).to_arrow_table()
    places = read["place"].to_numpy()
    if not np.array_equal(places, np.arange(len(records))):
        read = read.take(pa.array(np.argsort(places)))
    flags = {name: read[name].to_numpy() for name in ("is_plain", "members", "texts")}
    return Checked(read.select(EVENT_COLUMNS.names), **flags)


def member_names(raws: list[bytes], session: duckdb.DuckDBPyConnection) -> list[list[str]]:
    """The names in each record, repeated ones too, of records that are objects."""
    if not raws:
        return []
    lines = pa.table({"place": np.arange(len(raws)), "line": pa.array(raws, pa.string())})  # noqa: F841
    return [names for (names,) in session.execute("select json_keys(line) from lines order by place").fetchall()]


def _lines(records: Slice, left_out: list[int]) -> pa.Table:
    """The slice's text itself, not a copy, cut into lines."""
    validity = None
    if left_out:
        is_read = np.ones(len(records), np.bool_)
        is_read[left_out] = False
        validity = pa.py_buffer(np.packbits(is_read, bitorder="little"))
    bounds = records.bounds.astype(np.int32)
    line = pa.Array.from_buffers(
        pa.string(),
        len(records),
        [validity, pa.py_buffer(bounds), pa.py_buffer(records.text)],
        null_count=len(left_out),
    )
    table = pa.table(
        {
            "place": np.arange(len(records)),
            "object_index": records.object_indexes,
            "position": records.positions,
            "line": line,
        }
    )
    share = max(len(records) // 2, 1)  # also few records are work for two threads
    return pa.Table.from_batches(table.to_batches(max_chunksize=min(share, _BATCH_RECORDS)), table.schema)


def _storable(name: str | None) -> str | None:
    """A folder's name, or the blank that is never plain where it has bytes that are not UTF-8."""
    return name if name is None or visible(name) == name else ""
