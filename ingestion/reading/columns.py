"""The records of a slice as columns, by one statement: DuckDB parses, without a Python object.

The statement is run by a database of its own in memory: it needs nothing of the warehouse, runs beside what is stored
there, and may fail without ending the warehouse's transaction. It only parses and converts; what holds for the values
is looked at in `column_rules.py`, by numpy at the speed of memory, where an expression in SQL costs several times that.
"""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.contract.events import OPTIONAL_FIELDS, REQUIRED_FIELDS, VERSION_FIELD
from ingestion.records.slices import Slice

# Read as JSON: its text keeps "1" and 1 and 1.0 and true apart. (It does not keep 1.0 and 1e0 apart.)
NUMBERS = ("confidence", "count", "count_total", VERSION_FIELD)
EVENT_ID = "event_id"  # read as JSON too: a text in quotes, or a number
TEXTS = tuple(name for name in (*REQUIRED_FIELDS, *OPTIONAL_FIELDS) if name not in (*NUMBERS, EVENT_ID))
_STRUCTURE = json.dumps(dict.fromkeys(TEXTS, "VARCHAR") | dict.fromkeys((*NUMBERS, EVENT_ID), "JSON"))

_STRICTLY = f"from_json(line, '{_STRUCTURE}')"  # fails on a line that is no JSON
_KINDLY = f"case when json_valid(line) then {_STRICTLY} end"  # as try() on one line repeats its whole vector

_PARSE = f"""
    with read as (
        select place, unnest($record) from lines
    )

    select
        * replace (
            try_cast(confidence::varchar as double) + 0.0 as confidence,  -- -0.0 and 0.0 are one number
            count::varchar as count,
            count_total::varchar as count_total,
            {EVENT_ID}::varchar as {EVENT_ID},
            {VERSION_FIELD}::varchar as {VERSION_FIELD}
        ),
        try_cast(timestamp as timestamptz) as event_at
    from read
"""


def parse(records: Slice, left_out: list[int], session: duckdb.DuckDBPyConnection, strictly: bool) -> pa.Table:
    """A row for each record, by its place: the contract's fields, numbers as their text, besides `event_at`.

    What a record does not have is NULL, and so is all of a record that is no JSON, or `left_out`. `strictly` costs a
    fifth less.

    Raises:
        duckdb.InvalidInputException, UnicodeDecodeError: read strictly, a record is no JSON.
    """
    lines = _lines(records, left_out)  # noqa: F841  # DuckDB finds the table by its name
    read = session.sql(_PARSE.replace("$record", _STRICTLY if strictly else _KINDLY)).to_arrow_table()
    places = read["place"].to_numpy()
    if not np.array_equal(places, np.arange(len(records))):
        read = read.take(pa.array(np.argsort(places)))
    return read


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
        null_count=-1 if left_out else 0,  # to be counted
    )
    table = pa.table({"place": np.arange(len(records)), "line": line})
    share = max(len(records) // 2, 1)  # one thread takes one batch: also few records are work for two
    return pa.Table.from_batches(table.to_batches(max_chunksize=share), table.schema)
