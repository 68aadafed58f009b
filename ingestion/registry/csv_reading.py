"""CSV as people and their spreadsheets write it: bytes in, cells by column name out, or the real cause why not.

Which columns a file has and what a cell may hold is not known here.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ingestion.errors import RegistryError

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_OTHER_FORMATS = {b"PK\x03\x04": "an Excel workbook or another zip file", b"\xd0\xcf\x11\xe0": "an old Excel workbook"}
_PRINTABLE = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the line it ends on, and its cells in the order of the file's columns, white space taken off.

    `surplus` tells how many more cells there are than columns.
    """

    number: int
    cells: Sequence[str]
    surplus: int


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header, names in the contract's spelling, what stands between its cells, and its rows as they come."""

    columns: Sequence[str]
    separator: str
    lines: Iterator[Line]

    def count_error(self, line: Line) -> str:
        """The end of a sentence about a line with too many cells."""
        between = "" if self.separator == "," else f"; {_SEPARATORS[self.separator]} stand between the columns"
        return f"{len(line.cells)} values for {len(self.columns)} columns ({line.cells[-1]!r}){between}"


def decode(key: str, content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte-order mark or told by its first two bytes.

    Raises:
        RegistryError: the bytes are no text.
    """
    for start, kind in _OTHER_FORMATS.items():
        if content.startswith(start):
            raise RegistryError(f"{key}, line 1: it is {kind}; expected is a file saved as CSV.")
    mark, encoding = encoding_of(content)
    plain = content[len(mark) :]
    try:
        text = plain.decode(encoding)
    except UnicodeDecodeError as error:
        line = plain[: error.start].decode(encoding, errors="replace").count("\n") + 1
        name = encoding[: len("utf-16")].upper()
        raise RegistryError(f"{key}, line {line}: {plain[error.start : error.start + 1]!r} is not {name}.") from error
    if (zero := text.find("\0")) >= 0:
        line = text.count("\n", 0, zero) + 1
        raise RegistryError(f"{key}, line {line}: a zero byte stands there, as where a file was cut while written.")
    return text


def encoding_of(content: bytes) -> tuple[bytes, str]:
    """The byte-order mark at the start, empty where there is none, and the encoding behind it."""
    found = next((pair for pair in _MARKS if content.startswith(pair[0])), None)
    return found or (b"", _told_by_zeros(content))


def header_of(key: str, text: str, known: Collection[str]) -> tuple[str, int, Sequence[str]]:
    """What stands between the columns, the line on which the header ends (0: there is none), and its names.

    Of what may stand between them it is what gives most of the known names.

    Raises:
        RegistryError: the lines up to the header are no CSV.
    """
    told, text = _told_separator(text)
    heads = {one: _header(key, text, one) for one in ([told] if told else _SEPARATORS)}
    separator = max(heads, key=lambda one: len(set(heads[one][1]) & set(known)))
    return separator, *heads[separator]


def read_table(key: str, text: str, required: Sequence[str], known: Collection[str]) -> Table:
    """The rows of a file under the names that its header gives them. Blank rows are passed over.

    The rows are read as they are asked for, and then raise what is wrong with the one that comes.

    Raises:
        RegistryError: a column is missing or stands there twice.
    """
    separator, number, columns = header_of(key, text, known)
    text = _told_separator(text)[1]
    first_line = text.split("\n")[number - 1] if number else ""
    between = max(_SEPARATORS, key=first_line.count) if separator == "," else separator
    cause = (
        "" if between == "," or between not in first_line else f"{_SEPARATORS[between]} stand between the columns, and "
    )
    for column in required:
        if column not in columns:
            raise RegistryError(f"{key}, line {max(number, 1)}: {cause}the column {column} is missing.")
    for column in known:
        if columns.count(column) > 1:
            raise RegistryError(f"{key}, line {number}: the column {column} stands there twice.")
    return Table(columns, separator, _lines(key, text, separator, len(columns)))


def _told_by_zeros(content: bytes) -> str:
    if len(content) >= 2:
        if content[0] == 0 and content[1] in _PRINTABLE:
            return "utf-16-be"
        if content[1] == 0 and content[0] in _PRINTABLE:
            return "utf-16-le"
    return "utf-8"


def _told_separator(text: str) -> tuple[str | None, str]:
    """Excel's first line `sep=;`: what it says, and the text with a blank line in its place."""
    told = re.match(r'[ \ufeff]*"?sep=([,;\t|])"?[,;\t| ]*(?=\r?\n|\r|\Z)', text, flags=re.IGNORECASE)
    return (told.group(1), text[told.end() :]) if told else (None, text)


def _header(key: str, text: str, separator: str) -> tuple[int, list[str]]:
    """The line on which the header ends, and its names; 0 and none where there is none."""
    for line in _records(key, text, separator):
        return line.number, [_column(cell) for cell in line.cells]
    return 0, []


def _column(cell: str) -> str:
    return re.sub(r"\s+", "_", cell.strip().strip("\ufeff").strip().lower())


def _lines(key: str, text: str, separator: str, count: int) -> Iterator[Line]:
    records = _records(key, text, separator)
    next(records)
    for number, cells, _ in ((line.number, list(line.cells), line.surplus) for line in records):
        while len(cells) > count and not cells[-1]:
            cells.pop()  # spreadsheets write a separator for every column that was ever used
        if len(cells) == 1 < count:
            others = [one for one in _SEPARATORS if one != separator and cells[0].count(one) >= count - 1]
            if others:
                raise RegistryError(
                    f"{key}, line {number}: {_SEPARATORS[others[0]]} stand between the values ({cells[0]!r}), "
                    f"but {_SEPARATORS[separator]} between the columns of the first line."
                )
        yield Line(number, cells + [""] * (count - len(cells)), max(0, len(cells) - count))


def _records(key: str, text: str, separator: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            trimmed = [cell.strip().strip("\ufeff").strip() for cell in cells]
            if any(trimmed):
                yield Line(reader.line_num, trimmed, 0)
    except csv.Error as error:
        raise RegistryError(f"{key}, line {reader.line_num}: {_cause(error)}.") from error


def _cause(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end of data" in said:
        return "a quotation mark is opened and never closed"
    if "expected after" in said:
        return "a quotation mark stands inside a value; within quotation marks it is written twice"
    return f"not CSV ({said})"
