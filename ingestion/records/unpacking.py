"""Decompresses an object's bytes in bounded memory if its first bytes mark them as compressed.

Compressed data that ends early gives the content up to that point; damaged data gives nothing. Knows nothing about the
content.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import zstandard

# The memory a zstandard frame may request; the format's own tools refuse more by default.
_MAX_WINDOW_BYTES = 128 * 1024 * 1024
_PART_BYTES = 4 * 1024 * 1024
_INPUT_BYTES = 256 * 1024
# A file whose blocks were allocated but never written ends in zero bytes: it is torn, whatever the decoder reports.
ZERO_TAIL = bytes(8)

Bytes = bytes | memoryview


class Undecodable(ValueError):
    """No part of the object can be read; the message says why."""


class _Damaged(Exception):
    """The compressed bytes from offset `at` on cannot be decompressed."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at


class _Member(Protocol):
    """One of possibly several compressed streams, with the interface of `zlib.decompressobj`."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def unconsumed_tail(self) -> Bytes: ...

    def decompress(self, data: Bytes, max_length: int, /) -> bytes: ...


class _ZstandardFrame:
    """A frame with zlib's interface. The library cannot limit its output, so input is passed in small pieces."""

    _PIECE = 1024  # bytes; the smallest block has 4 bytes and unpacks to 128 KiB, so a piece unpacks to 32 MiB at most

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).decompressobj()
        self._rest = memoryview(b"")

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        return b"".join((self._frame.unused_data, self._rest)) if self.eof else b""

    @property
    def unconsumed_tail(self) -> Bytes:
        return b"" if self.eof else self._rest

    def decompress(self, data: Bytes, _: int, /) -> bytes:
        self._rest = memoryview(data)[self._PIECE :]
        return self._frame.decompress(data[: self._PIECE])


class _SkippableFrame:
    """A zstandard frame without content: a mark of four bytes, a length of four bytes, and as many bytes to skip."""

    def __init__(self) -> None:
        self._head = b""
        self._left: int | None = None
        self.unused_data = b""
        self.unconsumed_tail = b""

    @property
    def eof(self) -> bool:
        return self._left == 0

    def decompress(self, data: Bytes, _: int, /) -> bytes:
        data = bytes(data)
        if self._left is None:
            take = 8 - len(self._head)
            self._head, data = self._head + data[:take], data[take:]
            if len(self._head) == 8:
                self._left = int.from_bytes(self._head[4:], "little")
        if self._left is not None:
            passed = min(self._left, len(data))
            self._left, data = self._left - passed, data[passed:]
            self.unused_data = data if self._left == 0 else b""
        return b""


class Compression(NamedTuple):
    """A format: its name, the first bytes of its streams, and their decompressors."""

    name: str
    marks: tuple[tuple[bytes, Callable[[], _Member]], ...]

    def starts(self, head: bytes) -> Callable[[], _Member] | None:
        """The decompressor for a stream with this start; None if there is none or more bytes are needed."""
        return next((start for mark, start in self.marks if head.startswith(mark)), None)

    def may_start(self, head: bytes) -> bool:
        """Whether a stream may begin with these bytes."""
        return any(mark.startswith(head) for mark, _ in self.marks)


_GZIP = Compression("gzip", ((b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),))
_ZSTANDARD = Compression(
    "zstd",
    (
        (b"\x28\xb5\x2f\xfd", _ZstandardFrame),
        *((bytes([0x50 + number]) + b"\x2a\x4d\x18", _SkippableFrame) for number in range(16)),
    ),
)


def compression_of(head: bytes) -> Compression | None:
    """The compression of a content that begins with these bytes; four bytes are enough."""
    return next((one for one in (_GZIP, _ZSTANDARD) if one.starts(head) is not None), None)


class Unpacked:
    """An object's content in parts of some megabytes, at most `max_bytes` in all.

    `tear` describes what ends too early, if anything; it is final after the last part. `fault_at` comes from a previous
    reading: from that byte on the decoder is fed byte by byte, so that it returns as much as it can.

    Iterating raises:
        Undecodable: the compressed data is damaged, or unpacks to more than `max_bytes`.
        ZeroFilled: the data is damaged and ends in zero bytes; read it again with this `fault_at`.
    """

    def __init__(self, pieces: Iterable[bytes], max_bytes: int, fault_at: int | None = None) -> None:
        self._pieces = iter(pieces)
        self._max_bytes = max_bytes
        self._fault_at = fault_at
        self._tail = b""
        self.tear: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        head = b""
        for piece in self._pieces:
            head += piece
            if len(head) >= 4:
                break
        self._tail = head[-len(ZERO_TAIL) :]
        compression = compression_of(head)
        parts = self._plain(head) if compression is None else self._decompressed(compression, head)
        size = 0
        try:
            for part in parts:
                size += len(part)
                if size > self._max_bytes:
                    raise Undecodable(f"it unpacks to more than {self._max_bytes:,} bytes")
                if part:
                    yield part
        except _Damaged as error:
            assert compression is not None
            if self._fault_at is not None:
                self.tear = f"its {compression.name} data breaks off in zero bytes"
                return
            for _ in self._watched():
                pass
            if self._tail == ZERO_TAIL:
                raise ZeroFilled(error.at) from error
            raise Undecodable(f"its {compression.name} data is damaged, {error}") from error

    def _watched(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._tail = (self._tail + piece[-len(ZERO_TAIL) :])[-len(ZERO_TAIL) :]
            yield piece

    def _plain(self, head: bytes) -> Iterator[bytes]:
        yield head
        yield from self._watched()

    def _decompressed(self, compression: Compression, head: bytes) -> Iterator[bytes]:
        """The content of all streams in order, ignoring zero bytes between them and after the last."""
        member: _Member | None = None
        begun = b""  # the first bytes of a stream, too few to recognise it
        is_first = True
        fed_from = 0
        try:
            for at, piece in self._chopped(head):
                fed_from = at
                rest: Bytes = piece
                while len(rest):
                    if member is None:
                        rest = begun + (bytes(rest) if is_first or begun else bytes(rest).lstrip(b"\0"))
                        start, is_first, begun = compression.starts(rest), False, b""
                        if not len(rest):
                            break
                        if start is None:
                            if not compression.may_start(rest):
                                raise _Damaged(at, "as other bytes follow its end")
                            begun = rest
                            break
                        member = start()
                    yield member.decompress(rest, _PART_BYTES)
                    rest = member.unused_data if member.eof else member.unconsumed_tail
                    member = None if member.eof else member
            while member is not None:
                part = member.decompress(b"", _PART_BYTES)  # output held back because the previous part was full
                yield part
                if not part and not member.eof:
                    break
                member = None if member.eof else member
        except (zlib.error, zstandard.ZstdError) as error:
            is_checksum = "check" in str(error).lower() and "header" not in str(error)
            what = "as its checksum is wrong" if is_checksum else "as a block of it is invalid"
            raise _Damaged(fed_from, what) from error
        if member is not None or begun:
            self.tear = f"its {compression.name} data ends before its end mark"

    def _chopped(self, head: bytes) -> Iterator[tuple[int, Bytes]]:
        """A decompressor copies its remaining input at each step, so it gets small pieces."""
        at = 0
        for piece in self._plain(head):
            view = memoryview(piece)
            while view:
                is_slow = self._fault_at is not None and at >= self._fault_at
                size = 1 if is_slow else _INPUT_BYTES
                if self._fault_at is not None and not is_slow:
                    size = min(size, self._fault_at - at)
                yield at, view[:size]
                at += min(size, len(view))
                view = view[size:]


class ZeroFilled(Exception):
    """Compressed data is unreadable from `fault_at` on and ends in zero bytes."""

    def __init__(self, fault_at: int) -> None:
        super().__init__(fault_at)
        self.fault_at = fault_at
