"""Escapes text from cameras, files and buckets for display in a terminal.

A name may contain control sequences, which could overwrite printed text, change the window's title or reverse the
reading direction. As escapes they are visible and harmless.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO


def printable(text: str) -> str:
    """The text with every unprintable character, including line ends and tabs, as a Python escape."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class PrintableStream(io.TextIOBase):
    """A stream that escapes everything written to it except line ends and tabs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As a text stream's."""
        lines = ("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))
        self._stream.write("\n".join(lines))
        return len(text)

    def flush(self) -> None:
        """As a text stream's."""
        self._stream.flush()

    def isatty(self) -> bool:
        """As a text stream's."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """As a text stream's."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As a text stream's."""
        return self._stream.encoding


@contextmanager
def escaped_output() -> Iterator[None]:
    """Escape everything that this process prints within the block."""
    with redirect_stdout(_printable(sys.stdout)), redirect_stderr(_printable(sys.stderr)):
        yield


def _printable(stream: TextIO) -> PrintableStream:
    return stream if isinstance(stream, PrintableStream) else PrintableStream(stream)
