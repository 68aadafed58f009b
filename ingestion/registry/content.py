"""One registry file's content: bytes in, all its rows out, with the first error found in it.

`in_force.py` decides whether the content takes effect.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ingestion.errors import RegistryError
from ingestion.registry.csv_reading import Line, Table, decode, read_table, shown
from ingestion.registry.files import CHECKED, FILES, BadValue, File, Row, first_overlap, key_of

HASH_CHARACTERS = 16
# In the language of the spreadsheet: `#REF!`, `#BEZUG!`, `#¡DIV/0!`, `#ССЫЛКА!`, and the signs for "not available".
_ERROR_VALUE = re.compile(
    r"#[¡¿]?[^\W\d_]+(?:/0)?[!?]|Err:[0-9]{3}|#(?:N/A|N/D|N/B|I/T|NV|Н/Д|YOK|HIÁNYZIK|NENÍ_K_DISPOZICI)"  # noqa: RUF001
)
_GROUPED_DIGITS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}|,[0-9]{3})+")
_MARKS = {".": "point", ",": "comma"}
# No value needs more; a longer one is the rest of a file behind a quotation mark that is never closed.
MAX_CHARACTERS = 1_000


@dataclass(slots=True)
class Content:
    """A file's content. `rows` holds the last row of each key, without invalid rows; `columns` holds the contract's
    columns. `error` is a full sentence about the first error. `last_row` is the row of the last line, None if it is
    invalid; `ends_with_a_break` says whether that line is complete.
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
    """The short hash of a content that messages show and confirmations hold."""
    return hashlib.sha256(content).hexdigest()[:HASH_CHARACTERS]


def read_content(key: str, content: bytes, timezones: Collection[str]) -> Content:
    """Read as much of a file as possible. `timezones` are the usable names."""
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
    """The row on a line.

    Raises:
        BadValue: the line is invalid, or it could mean more than one row.
    """
    if not line.surplus:
        return file.read(_named(file, table, line.cells, table.separator), timezones)
    # Unquoted commas: the values of one column are joined again if the row is then valid and no other row could be
    # meant. The columns after it would reject a value that is not theirs.
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
    for name, cell in named.items():
        if len(cell) > MAX_CHARACTERS:
            raise BadValue(f"{name} has {len(cell):,} characters ({shown(cell)}); expected at most {MAX_CHARACTERS:,}")
        if _ERROR_VALUE.fullmatch(cell) and cell in (cell.upper(), "Err:" + cell[4:]):
            raise BadValue(f"{name} is {cell!r}, with which a spreadsheet says that a formula failed")
    # if the comma is the decimal point, it does not separate columns
    for column in ("units_per_hour", "units"):
        if separator != "," and (number := named.get(column)):
            if _GROUPED_DIGITS.fullmatch(number):
                raise BadValue(
                    f"{column} is {number!r}, whose {_MARKS[number[-4]]} may stand before decimals or between "
                    f"thousands; expected {re.sub('[.,]', '', number)}, or decimals that are not three digits"
                )
            if re.fullmatch(r"[0-9]+,[0-9]+", number):
                named[column] = number.replace(",", ".")
    return named
