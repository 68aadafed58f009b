"""Parses the records of a slice into columns with one DuckDB statement, without a Python object per record.

The statement runs in an in-memory database of its own: it needs nothing from the warehouse, runs concurrently with
storing, and may fail without ending the warehouse's transaction. It only parses and converts. `column_rules.py` checks
the values with numpy, which is several times faster than SQL expressions.
"""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.contract.events import OPTIONAL_FIELDS, REQUIRED_FIELDS, VERSION_FIELD
from ingestion.records.slices import Slice

# Parsed as JSON, whose text distinguishes "1", 1, 1.0 and true (but not 1.0 from 1e0).
NUMBERS = ("confidence", "count", "count_total", VERSION_FIELD)
EVENT_ID = "event_id"  # parsed as JSON too: a text in quotes, or a number
TEXTS = tuple(name for name in (*REQUIRED_FIELDS, *OPTIONAL_FIELDS) if name not in (*NUMBERS, EVENT_ID))
_STRUCTURE = json.dumps(dict.fromkeys(TEXTS, "VARCHAR") | dict.fromkeys((*NUMBERS, EVENT_ID), "JSON"))

_STRICTLY = f"from_json(line, '{_STRUCTURE}')"  # fails on a line that is not JSON
_KINDLY = f"case when json_valid(line) then {_STRICTLY} end"  # because try() repeats a whole vector for one line

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
    """One row per record, in order: the contract's fields, numbers as text, and `event_at`.

    A missing field is NULL, and so is every field of a record that is not JSON or is `left_out`. Parsing `strictly`
    takes a fifth less time.

    Raises:
        duckdb.InvalidInputException, UnicodeDecodeError: parsed strictly, a record is not JSON.
    """
    lines = lines_of(records, left_out)  # noqa: F841  # DuckDB finds the table by its name
    read = session.sql(_PARSE.replace("$record", _STRICTLY if strictly else _KINDLY)).to_arrow_table()
    places = read["place"].to_numpy()
    if not np.array_equal(places, np.arange(len(records))):
        read = read.take(pa.array(np.argsort(places)))
    return read


def member_names(raws: list[bytes], session: duckdb.DuckDBPyConnection) -> list[list[str]]:
    """The field names in each record that is an object, repeated names included."""
    if not raws:
        return []
    lines = pa.table({"place": np.arange(len(raws)), "line": pa.array(raws, pa.string())})  # noqa: F841
    return [names for (names,) in session.execute("select json_keys(line) from lines order by place").fetchall()]


def lines_of(records: Slice, left_out: list[int]) -> pa.Table:
    """The slice's text as `place` and `line`, without a copy; the line of a place that is `left_out` is NULL."""
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
        null_count=-1 if left_out else 0,  # counts places
    )
    table = pa.table({"place": np.arange(len(records)), "line": line})
    share = max(len(records) // 2, 1)  # one thread takes one batch, so even few records keep two threads busy
    return pa.Table.from_batches(table.to_batches(max_chunksize=share), table.schema)
