"""One registry file's content: bytes in, all its rows out, with the first thing about it that cannot be right.

Whether it takes effect is not decided here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ingestion.errors import RegistryError
from ingestion.registry.csv_reading import Line, Table, decode, read_table
from ingestion.registry.files import CHECKED, FILES, BadValue, File, Row, first_overlap, key_of

HASH_CHARACTERS = 16


@dataclass(slots=True)
class Content:
    """What a file says. `rows`: the last row of each key, those that cannot be right left out; `columns`: of the
    contract. `error` is the whole sentence about the first thing that cannot be right. `last_row` is that of the last
    line, None where it is wrong; `ends_with_a_break`: whether that line was finished.
    """

    key: str
    hash: str
    ends_with_a_break: bool = True
    columns: Sequence[str] = ()
    rows: list[Row] = field(default_factory=list)
    last_row: Row | None = None
    last_line: int = 1
    error: RegistryError | None = None


def hash_of(content: bytes) -> str:
    """The short name of a content that messages give and confirmations hold."""
    return hashlib.sha256(content).hexdigest()[:HASH_CHARACTERS]


def read_content(key: str, content: bytes, timezones: Collection[str]) -> Content:
    """Read a file as far as it goes. `timezones` are the usable names."""
    file = FILES[key.rpartition("/")[2]]
    read = Content(key, hash_of(content))
    rows: dict[tuple[object, ...], tuple[Row, int]] = {}
    try:
        text = decode(key, content)
        read.ends_with_a_break = text.endswith(("\n", "\r"))
        table = read_table(key, text, file.required, file.columns)
        read.columns = [column for column in file.columns if column in table.columns]
        for line in table.lines:
            read.last_row, read.last_line = None, line.number
            try:
                row = _read_line(file, table, line, timezones)
            except BadValue as error:
                read.error = read.error or RegistryError(f"{key}, line {line.number}: {error}.")
                continue
            read.last_row = row
            rows[key_of(file, row)] = row, line.number  # the last row of a key wins
    except RegistryError as error:
        read.error = read.error or error
    if file.dated and read.error is None and (found := first_overlap(file, list(rows.values()))):
        read.error = RegistryError(f"{key}, line {found[0]}: {found[1]}.")
    read.rows = [row for row, _ in rows.values()]
    return read


def _read_line(file: File, table: Table, line: Line, timezones: Collection[str]) -> Row:
    """The row of a line.

    Raises:
        BadValue: it cannot be right, or more than one row could be meant.
    """
    if not line.surplus:
        return file.read(_named(file, table, line.cells, table.separator), timezones)
    # Commas that nobody quoted: the values of one column are put together again where the row then is right, and no
    # other row can be meant: all columns behind it would notice a value that is not theirs.
    places = [
        place
        for place, column in enumerate(table.columns)
        if column in file.texts and all(behind in CHECKED for behind in table.columns[place + 1 :])
    ]
    meant: list[Row] = []
    for place in places:
        behind = place + line.surplus + 1
        text = f"{table.separator} ".join(line.cells[place:behind])
        try:
            cells = [*line.cells[:place], text, *line.cells[behind:]]
            meant.append(file.read(_named(file, table, cells, table.separator), timezones))
        except BadValue:
            continue
    if len(meant) != 1:
        raise BadValue(table.count_error(line))
    return meant[0]


def _named(file: File, table: Table, cells: Sequence[str], separator: str) -> dict[str, str]:
    named = {name: cell for name, cell in zip(table.columns, cells, strict=True) if name in file.columns}
    if separator != "," and "units_per_hour" in named:  # where a comma is the decimal point, it separates no columns
        named["units_per_hour"] = named["units_per_hour"].replace(",", ".", 1)
    return named
