"""From an object's content to text: converts UTF-16 to UTF-8, removes trailing zero bytes, and detects binary data.

Knows nothing about what the text says.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from ingestion.records.unpacking import Undecodable, Unpacked, ZeroFilled

SAMPLE_BYTES = 4096
_CONTROLS = bytes(code for code in (*range(32), 127) if bytes([code]) not in b"\t\n\v\f\r")
_BAD_CHARACTERS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\udc80-\udcff]")
# Marks for a character whose end is missing and for an undecodable place; neither is valid UTF-8.
CUT_CHARACTER = b"\xe2"
_NO_CHARACTER = "\udcff"

# Kinds of binary data, by bytes at the start or at a fixed offset.
_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "a video (MP4)"),
    (0, b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
    (8, b"AVI ", "a video (AVI)"),
    (0, b"\x00\x00\x01\xba", "a video (MPEG)"),
    (0, b"\x00\x00\x00\x01", "a video (H.264 or H.265)"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)"),
    (0, b"\x89PNG", "a picture (PNG)"),
    (0, b"GIF8", "a picture (GIF)"),
    (8, b"WEBP", "a picture (WebP)"),
    (8, b"WAVE", "sound (WAV)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive, or an Office document"),
    (257, b"ustar", "a tar archive"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"SQLite format 3\x00", "an SQLite database"),
    (0, b"\x1f\x8b", "gzip data that was compressed twice"),
    (0, b"\x28\xb5\x2f\xfd", "zstd data that was compressed twice"),
    (0, b"BZh", "bzip2 data"),
    (0, b"\xfd7zXZ", "xz data"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"\x04\x22\x4d\x18", "LZ4 data"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"\xd4\xc3\xb2\xa1", "a network capture (pcap)"),
    (0, b"\x0a\x0d\x0d\x0a", "a network capture (pcapng)"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\xff\xfe\x00\x00", "UTF-32 text"),
    (0, b"\x00\x00\xfe\xff", "UTF-32 text"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"ORC", "an ORC file"),
)


def is_plain(content: bytes) -> bool:
    """Whether a cheap check shows a content to be plain UTF-8 text; all others go through `Text`."""
    sample = content[:SAMPLE_BYTES]
    return (
        sample.isascii()
        and len(sample.translate(None, _CONTROLS)) == len(sample)
        and not content.endswith(b"\0")
        and utf_16_of(content[:2]) is None
    )


def read_text(content: bytes, max_bytes: int) -> tuple[bytes, bool]:
    """The text of an object's bytes, as UTF-8, and whether it ends too early.

    Raises:
        Undecodable: no part of it can be read.
    """
    unpacked = Unpacked([content], max_bytes)
    text = Text(unpacked)
    try:
        joined = b"".join(text)
    except ZeroFilled as fault:
        unpacked = Unpacked([content], max_bytes, fault.fault_at)
        text = Text(unpacked)
        joined = b"".join(text)
    return joined, unpacked.tear is not None or text.zeros > 0


def utf_16_of(head: bytes) -> str | None:
    """The codec of a content that begins with these two bytes if it is UTF-16, else None."""
    if len(head) < 2:
        return None
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16-le" if head[:2] == codecs.BOM_UTF16_LE else "utf-16-be"
    for zero, other, codec in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        if head[zero] == 0 and (32 <= head[other] < 127 or head[other] in b"\t\n\v\f\r"):
            return codec
    return None


class Text:
    """A content as UTF-8, in parts. Undecodable places stay in it as bytes that are not UTF-8.

    `zeros` counts the removed trailing zero bytes and is final after the last part.

    Iterating raises `Undecodable` if the content is not text.
    """

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self.zeros = 0

    def __iter__(self) -> Iterator[bytes]:
        head = b""
        for part in self._parts:
            head += part
            if len(head) >= SAMPLE_BYTES:
                break
        codec = utf_16_of(head)
        parts = self._following(head)
        decoded = self._without_zeros(parts if codec is None else _as_utf_8(parts, codec), 1 if codec is None else 2)
        sample = b""
        is_whole = True
        for part in decoded:
            sample += part
            if len(sample) >= SAMPLE_BYTES:
                is_whole = False
                break
        _require_text(sample[:SAMPLE_BYTES], is_whole, head, 1 if codec is None else 2)
        if sample:
            yield sample
        yield from decoded

    def _following(self, head: bytes) -> Iterator[bytes]:
        if head:
            yield head
        yield from self._parts

    def _without_zeros(self, parts: Iterator[bytes], width: int) -> Iterator[bytes]:
        zeros = 0
        for part in parts:
            kept = part.rstrip(b"\0")
            if kept:
                while zeros:  # the zero bytes were not at the end
                    step = min(zeros, 1 << 20)
                    yield bytes(step)
                    zeros -= step
                yield kept
            zeros += len(part) - len(kept)
        self.zeros = zeros * width


def _as_utf_8(parts: Iterator[bytes], codec: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)("floorhouse.no_character")
    for part in parts:
        yield decoder.decode(part).encode("utf-8", "surrogateescape")
    if pending := decoder.getstate()[0]:
        yield b"\0" if pending == b"\0" else CUT_CHARACTER


def _no_character(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return _NO_CHARACTER, error.end


codecs.register_error("floorhouse.no_character", _no_character)


def _require_text(sample: bytes, is_whole: bool, head: bytes, width: int) -> None:
    text, _ = codecs.utf_8_decode(sample, "surrogateescape", is_whole)
    text = text[: SAMPLE_BYTES // width]
    if len(_BAD_CHARACTERS.findall(text)) * 10 > len(text):
        raise Undecodable(f"The object is not text: its bytes seem to be {_kind_of(head)}. Expected JSON.")


def _kind_of(head: bytes) -> str:
    found = (name for place, mark, name in _KINDS if head[place : place + len(mark)] == mark)
    return next(found, "data of an unknown kind")
