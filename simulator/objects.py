"""Encodes the content of objects, and stores objects in a local folder like a bucket. Knows nothing about plants."""

import os
import zlib
from pathlib import Path

import pyarrow as pa

LINES, GZIP, ARRAY, ZSTD = range(4)
SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".ndjson.zst")
# Arrow contains its own zlib and zstd, so its version pins them. The system's zlib could compress to other bytes.
_GZIP, _ZSTD = pa.Codec("gzip", 6), pa.Codec("zstd", 3)


def encoded(body: bytes, line_end: bytes, kind: int) -> bytes:
    """The content of an object of this kind with these JSON lines, each with its line end."""
    if kind == GZIP:
        return bytes(_GZIP.compress(body, asbytes=True))
    if kind == ZSTD:
        return bytes(_ZSTD.compress(body, asbytes=True))
    if kind == ARRAY:
        return b"[" + body[: -len(line_end)].replace(line_end, b",\n") + b"]\n"
    return body


def whole_lines(cut: bytes) -> int:
    """The number of JSON lines that can still be read from a truncated gzip file."""
    lines = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(cut).split(b"\n")
    return len(lines) - 1 + lines[-1].endswith(b"}")  # records are flat, so a brace ends a complete record


class FolderBucket:
    """Writes objects below a folder. Each appears complete: it is renamed from a name that landing ignores."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._made: set[str] = set()
        self.objects = 0
        self.bytes = 0

    def put(self, key: str, content: bytes, arrives_ms: int | None = None) -> None:
        """Write one object and replace any object with its key.

        `arrives_ms` (milliseconds since 1970) becomes its modification time; None leaves it at now.
        """
        folder, _, name = f"{self._root}/{key}".rpartition("/")
        if folder not in self._made:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._made.add(folder)
        unfinished = f"{folder}/.{name}"
        # Plain system calls, because `open` with its buffers would double the cost of small objects.
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            rest = memoryview(content)
            while rest:  # the system may write less than it was given
                rest = rest[os.write(descriptor, rest) :]
            if arrives_ms is not None:
                os.utime(descriptor, ns=(arrives_ms * 1_000_000, arrives_ms * 1_000_000))
        finally:
            os.close(descriptor)
        os.replace(unfinished, f"{folder}/{name}")
        self.objects += 1
        self.bytes += len(content)
