"""Reads CSV as people and spreadsheets write it: bytes in, cells by column name out, or the actual cause of failure.

Knows nothing about which columns a file has or what a cell may hold.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestion.errors import RegistryError

if TYPE_CHECKING:
    from _csv import _reader

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or another zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed (gzip)",
    b"\xff\xfe\0\0": "UTF-32 text",
    b"\0\0\xfe\xff": "UTF-32 text",
}
_DOS_END = "\x1a"  # old programs end a text with it
_FORMULA = re.compile(r'\A="([^"]*)"\Z')  # how people keep a spreadsheet from turning 007 into 7
_MOST_SHOWN = 90  # characters of a value in a sentence
_TITLE_LINES = 20  # lines in which column names are looked for that stand under a title
_PRINTABLE = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the line it ends on, and its cells in the file's column order, trimmed.

    `surplus` is the number of cells beyond the columns.
    """

    number: int
    cells: Sequence[str]
    surplus: int


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header in the contract's spelling, the separator of its cells, and an iterator over its rows."""

    columns: Sequence[str]
    separator: str
    lines: Iterator[Line]

    def count_error(self, line: Line) -> str:
        """The end of a sentence about a line with too many cells."""
        between = f"; {_SEPARATORS[self.separator]} stand between the columns"
        if self.separator == ",":
            between = "; a value that holds a comma stands in quotation marks"
        return f"{len(line.cells)} values for {len(self.columns)} columns ({shown(line.cells[-1])}){between}"


def decode(key: str, content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 recognised by a byte-order mark or by its first two bytes.

    Raises:
        RegistryError: the bytes are not text.
    """
    for start, kind in _OTHER_FORMATS.items():
        if content.startswith(start):
            raise RegistryError(f"{key}, line 1: it is {kind}; expected a file saved as CSV.")
    mark, encoding = encoding_of(content)
    plain = content[len(mark) :]
    try:
        text = plain.decode(encoding)
    except UnicodeDecodeError as error:
        line = plain[: error.start].decode(encoding, errors="replace").count("\n") + 1
        if encoding == "utf-8":
            why = f"the byte 0x{plain[error.start]:02X} is not UTF-8; expected a file saved as CSV UTF-8"
        else:
            why = "it is UTF-16 that ends within a character, as where a file was cut while written"
            if error.end < len(plain):
                why = "it is UTF-16, with half of a character in it; expected a file saved as CSV UTF-8"
        raise RegistryError(f"{key}, line {line}: {why}.") from error
    text = text.removesuffix(_DOS_END)
    if (zero := text.find("\0")) >= 0:
        line = text.count("\n", 0, zero) + 1
        raise RegistryError(f"{key}, line {line}: a zero byte stands there, as where a file was cut while written.")
    return text


def reader_of(lines: Iterable[str], separator: str) -> _reader:
    """The cells of each row as they are written. A blank may stand before a value in quotation marks."""
    return csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)


def plain_cell(cell: str) -> str:
    """A cell's value without blanks and byte-order marks at its ends, and without a spreadsheet's `="…"` around it."""
    return _FORMULA.sub(r"\1", cell.strip().strip("\ufeff").strip())


def shown(value: str) -> str:
    """A value as a sentence quotes it: on one line, and cut to a readable length."""
    return repr(value if len(value) <= _MOST_SHOWN else value[: _MOST_SHOWN - 10] + "…")


def encoding_of(content: bytes) -> tuple[bytes, str]:
    """The byte-order mark at the start (empty if there is none) and the encoding."""
    found = next((pair for pair in _MARKS if content.startswith(pair[0])), None)
    return found or (b"", _utf_16_without_mark(content))


def header_of(key: str, text: str, known: Collection[str]) -> tuple[str, int, Sequence[str]]:
    """The separator of the columns, the line on which the header ends (0: there is none), and its names.

    The separator is the one that yields the most known names; of equal ones the one that the file declares.

    Raises:
        RegistryError: the lines up to the header are not CSV, whatever separates the columns.
    """
    declared, text = _declared_separator(text)
    heads: dict[str, tuple[int, list[str]]] = {}
    wrong: list[RegistryError] = []
    for one in sorted(_SEPARATORS, key=lambda one: one != declared):
        try:
            heads[one] = _header(key, text, one)
        except RegistryError as error:  # names in quotation marks, with another separator between them
            wrong.append(error)
    if not heads:
        raise wrong[0]
    separator = max(heads, key=lambda one: len(set(heads[one][1]) & set(known)))
    return separator, *heads[separator]


def read_table(key: str, text: str, required: Sequence[str], known: Collection[str]) -> Table:
    """The rows of a file under the names in its header, without blank rows.

    Rows are read lazily; iterating raises the error of the next row.

    Raises:
        RegistryError: a column is missing or appears twice.
    """
    separator, number, columns = header_of(key, text, known)
    text = _declared_separator(text)[1]
    for column in required:
        if column not in columns:
            cause = _why_missing(text, separator, columns, required)
            raise RegistryError(f"{key}, line {max(number, 1)}: {cause}the column {column} is missing.")
    for column in known:
        if columns.count(column) > 1:
            raise RegistryError(f"{key}, line {number}: the column {column} appears twice.")
    return Table(columns, separator, _lines(key, text, separator, columns))


def _why_missing(text: str, separator: str, columns: Sequence[str], required: Collection[str]) -> str:
    """The beginning of the sentence about a missing column: what a person would see in the file; perhaps nothing."""
    if not text.strip("\ufeff \t\r\n"):
        return "the file is empty: "
    if text.lstrip().startswith("<"):
        return "it is a web page or XML, not CSV: "
    if len(columns) == 1 and separator in columns[0]:
        return "quotation marks enclose the whole line, and "
    lines = text.splitlines()
    for number, line in enumerate(lines[:_TITLE_LINES], start=1):
        if any(set(required) <= {_column(cell.strip('"')) for cell in line.split(one)} for one in _SEPARATORS):
            return f"the names of the columns stand on line {number}, and must be the first that is not blank: "
    first_line = next((line for line in lines if line.strip()), "")
    between = max(_SEPARATORS, key=first_line.count) if separator == "," else separator
    if between == "," or between not in first_line:
        return ""
    return f"{_SEPARATORS[between]} stand between the columns, and "


def _utf_16_without_mark(content: bytes) -> str:
    if len(content) >= 2:
        if content[0] == 0 and content[1] in _PRINTABLE:
            return "utf-16-be"
        if content[1] == 0 and content[0] in _PRINTABLE:
            return "utf-16-le"
    return "utf-8"


def _declared_separator(text: str) -> tuple[str | None, str]:
    """The separator in Excel's first line `sep=;`, and the text with a blank line in its place."""
    declared = re.match(r'[ \ufeff]*"?sep=([,;\t|])"?[,;\t| ]*(?=\r?\n|\r|\Z)', text, flags=re.IGNORECASE)
    return (declared.group(1), text[declared.end() :]) if declared else (None, text)


def _header(key: str, text: str, separator: str) -> tuple[int, list[str]]:
    """The line on which the header ends, and its names; 0 and none if there is no header."""
    for line in _records(key, text, separator):
        return line.number, [_column(cell) for cell in line.cells]
    return 0, []


def _column(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().strip("\ufeff").strip().lower())


def _lines(key: str, text: str, separator: str, columns: Sequence[str]) -> Iterator[Line]:
    records = _records(key, text, separator)
    count = len(columns)
    next(records)
    for number, cells, _ in ((line.number, list(line.cells), line.surplus) for line in records):
        while len(cells) > count and not cells[-1]:
            cells.pop()  # spreadsheets write a separator for every column that was ever in use
        if count > 1 and [_column(cell) for cell in cells] == columns:
            raise RegistryError(
                f"{key}, line {number}: the names of the columns stand there once more, as where two files were joined."
            )
        if len(cells) == 1 < count:
            others = [one for one in _SEPARATORS if one != separator and cells[0].count(one) >= count - 1]
            if others:
                raise RegistryError(
                    f"{key}, line {number}: {_SEPARATORS[others[0]]} stand between the values ({shown(cells[0])}), "
                    f"but {_SEPARATORS[separator]} between the columns of the first line."
                )
        yield Line(number, cells + [""] * (count - len(cells)), max(0, len(cells) - count))


def _records(key: str, text: str, separator: str) -> Iterator[Line]:
    reader = reader_of(io.StringIO(text, newline=""), separator)
    try:
        for cells in reader:
            trimmed = [plain_cell(cell) for cell in cells]
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
    if "field larger" in said:
        return "a value has more than 131,072 characters, as where a quotation mark is never closed"
    return f"not CSV ({said})"
