"""Decides whether a text is a mapping: one `select` over `records` that the closed database can bind.

The database itself has no files, network or settings to change; the list of allowed names is a second wall.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.contract.event_columns import COLUMNS
from ingestion.mapping.closed import ClosedDatabase, sentence_of
from ingestion.mapping.mapping import Mapping, MappingError

MAX_CHARACTERS = 200_000
# Table functions that look at nothing but their arguments.
_TABLE_FUNCTIONS = frozenset(
    {"unnest", "range", "generate_series", "json_each", "json_tree", "repeat", "repeat_row", "json_table"}
)
_WHOLE = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_INSTANT = "TIMESTAMP WITH TIME ZONE"
_FIELDS = frozenset(column.field for column in COLUMNS)
# The statement around the mapping: its text begins on the second line.
LINES_BEFORE = 1
# What SQL reads without brackets.
_CLOCKS = frozenset({"current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"})


@dataclass(frozen=True, slots=True)
class Checked:
    """A mapping that can run: the statement yields `position` (BIGINT) and `line` (VARCHAR, one record and a line
    feed).
    """

    mapping: Mapping
    statement: str
    columns: tuple[str, ...]  # the fields that it yields


def check(mapping: Mapping, database: ClosedDatabase) -> Checked:
    """The mapping, ready to run in a closed database.

    Raises:
        MappingError: the text is not a mapping; the message says file, line and reason.
    """
    key, connection = mapping.key, database.connection
    if len(mapping.sql) > MAX_CHARACTERS:
        raise MappingError(f"{key}: it has {len(mapping.sql):,} characters; at most {MAX_CHARACTERS:,} are read.")
    try:
        statements = connection.extract_statements(mapping.sql)
    except duckdb.Error as error:
        raise MappingError(sentence_of(key, error, 0)) from error
    if len(statements) != 1:
        raise MappingError(f"{key}: it has {len(statements)} statements; a mapping is one select.")
    (statement,) = statements
    if statement.type != duckdb.StatementType.SELECT:
        raise MappingError(f"{key}: it is a statement of the kind {statement.type.name}; a mapping is one select.")
    if statement.named_parameters:
        raise MappingError(f"{key}: it has a parameter ({min(statement.named_parameters)}), which nobody fills.")
    _check_names(mapping, connection)
    text = _without_semicolon(mapping.sql, connection)
    with database.bounded(key, LINES_BEFORE, hides_values=False):
        described = connection.execute(f"describe select * from (\n{text}\n)").fetchall()
    types = {str(name): str(kind) for name, kind, *_ in described}
    positions = [name for name in types if name.lower() == "position"]
    if not positions or types[positions[0]] not in _WHOLE:
        found = f"its position is {types[positions[0]]}" if positions else "it yields no position"
        raise MappingError(f"{key}: {found}; hand on the position of records, which says whose event a row is.")
    position = positions[0]
    fields = {name: kind for name, kind in types.items() if name != position}
    # the mapping's text first, so that the lines of an error are the file's
    return Checked(
        mapping,
        f"with mapped as (\n{text}\n) select try_cast({_name(position)} as bigint) as position, "
        f"{_line(fields)} || chr(10) as line from mapped",
        tuple(fields),
    )


def _line(fields: dict[str, str]) -> str:
    """The fields of a row as one JSON object; a NULL is an absent field."""
    if not fields:
        return "'{}'"
    if fields.keys() <= _FIELDS:  # whose null is as good as absent (contract §2), and one call takes half the time
        members = ", ".join(f"{_name(name)}: {_value(name, kind)}" for name, kind in fields.items())
        return f"to_json({{{members}}})::varchar"
    members = ", ".join(_member(name, kind) for name, kind in fields.items())
    return f"'{{' || concat_ws(',', {members}) || '}}'"


def _member(name: str, kind: str) -> str:
    """A field as the text of a JSON member, NULL without a value."""
    label = _literal(json.dumps(name, ensure_ascii=False) + ":")
    return f"case when {_name(name)} is not null then {label} || to_json({_value(name, kind)})::varchar end"


def _value(name: str, kind: str) -> str:
    """A field as the database can write it in JSON: an instant as the contract spells it, no number that JSON lacks."""
    column = _name(name)
    if kind == _INSTANT:
        return f"strftime({column} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if kind.startswith("TIMESTAMP"):
        return f"strftime({column}::timestamp, '%Y-%m-%dT%H:%M:%S.%f')"
    if kind in ("FLOAT", "DOUBLE"):
        return f"case when isfinite({column}) then to_json({column}) else to_json({column}::varchar) end"
    return column


def _check_names(mapping: Mapping, connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse other tables than `records`, functions that read tables or files, and functions of changing value."""
    row = connection.execute("select json_serialize_sql(?)", [mapping.sql]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise MappingError(f"{mapping.key}: the database cannot read it: {tree.get('error_message', 'no select')}.")
    nodes = list(_nodes(tree))
    known = {"records", *(entry["key"].lower() for node in nodes for entry in _entries(node))}
    changing = {
        name
        for (name,) in connection.execute(
            "select distinct function_name from duckdb_functions() "
            "where stability is not null and stability <> 'CONSISTENT' and function_name <> 'error'"
        ).fetchall()
    }
    for node in nodes:
        kind = node.get("type")
        if kind == "BASE_TABLE":
            name = str(node.get("table_name", ""))
            if node.get("schema_name") or node.get("catalog_name") or name.lower() not in known:
                raise MappingError(
                    f"{_place(mapping, node)}: it reads {name!r}; a mapping reads the table records and nothing else."
                )
        elif kind == "TABLE_FUNCTION":
            name = str(node["function"].get("function_name", "")).lower()
            if name not in _TABLE_FUNCTIONS:
                raise MappingError(
                    f"{_place(mapping, node)}: it reads {name}(); a mapping reads the table records and nothing else."
                )
        elif kind in ("FUNCTION", "WINDOW_AGGREGATE") and str(node.get("function_name", "")).lower() in changing:
            raise MappingError(
                f"{_place(mapping, node)}: the value of {node['function_name']}() changes from call to call; "
                "use arrived_at for the time of landing."
            )
        elif kind == "COLUMN_REF" and str(node.get("column_names", [""])[-1]).lower() in _CLOCKS:
            raise MappingError(
                f"{_place(mapping, node)}: {node['column_names'][-1]} changes from call to call; "
                "use arrived_at for the time of landing."
            )
        elif kind == "SHOW_REF":
            raise MappingError(f"{_place(mapping, node)}: it describes a table; a mapping is one select over records.")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a syntax tree."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _entries(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The common table expressions that a node names."""
    held = node.get("cte_map")
    return held.get("map", []) if isinstance(held, dict) else []


def _place(mapping: Mapping, node: dict[str, Any]) -> str:
    offset = node.get("query_location")
    text = mapping.sql.encode("utf-8", "surrogatepass")
    if not isinstance(offset, int) or offset > len(text):
        return mapping.key
    line = text.count(b"\n", 0, offset) + 1
    return f"{mapping.key}, line {line}"


def _without_semicolon(sql: str, connection: duckdb.DuckDBPyConnection) -> str:
    """The text without the semicolon that may end it, so that it can stand in brackets."""
    text, end = sql, len(sql)
    while not _is_statement(f"select * from (\n{text}\n)", connection) and (end := sql.rfind(";", 0, end)) >= 0:
        text = f"{sql[:end]} {sql[end + 1 :]}"
    return text


def _is_statement(sql: str, connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        return len(connection.extract_statements(sql)) == 1
    except duckdb.Error:
        return False


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
