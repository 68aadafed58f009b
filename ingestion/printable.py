"""Text from cameras, files and buckets as a person may see it in a terminal. Nothing here knows what a text means.

A name may hold the signs by which terminals are steered: they would change what stands there already, or the title of
the window, or turn the reading direction. Shown as escapes they do nothing, and are seen.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO


def printable(text: str) -> str:
    """The text with every character that is not printed, line ends and tabs too, as Python's escape of it."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class PrintableStream(io.TextIOBase):
    """A stream that passes on what is printed line by line, escaped but for line ends and tabs."""

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
    """Nothing that this process prints within the block steers a terminal, whatever is printed and by whom."""
    with redirect_stdout(_printable(sys.stdout)), redirect_stderr(_printable(sys.stderr)):
        yield


def _printable(stream: TextIO) -> PrintableStream:
    return stream if isinstance(stream, PrintableStream) else PrintableStream(stream)
