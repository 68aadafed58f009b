"""The bytes of an object, and a local folder that stores objects like a bucket. Knows nothing about plants."""

import os
import zlib
from pathlib import Path

import pyarrow as pa

LINES, GZIP, ARRAY, ZSTD = range(4)
SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".ndjson.zst")
# Arrow carries its own zlib and zstd, pinned with it; the system's zlib may compress to other bytes elsewhere.
_GZIP, _ZSTD = pa.Codec("gzip", 6), pa.Codec("zstd", 3)


def encoded(body: bytes, line_end: bytes, kind: int) -> bytes:
    """JSON lines, each with its line end, as the content of an object of this kind."""
    if kind == GZIP:
        return bytes(_GZIP.compress(body, asbytes=True))
    if kind == ZSTD:
        return bytes(_ZSTD.compress(body, asbytes=True))
    if kind == ARRAY:
        return b"[" + body[: -len(line_end)].replace(line_end, b",\n") + b"]\n"
    return body


def whole_lines(cut: bytes) -> int:
    """How many JSON lines can still be read from a gzip that ends early."""
    lines = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(cut).split(b"\n")
    return len(lines) - 1 + lines[-1].endswith(b"}")  # records are flat: a brace ends one


class FolderBucket:
    """Writes objects below a folder; each appears whole, by a rename from a name that landing ignores."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._made: set[str] = set()
        self.objects = 0
        self.bytes = 0

    def put(self, key: str, content: bytes, arrives_ms: int | None = None) -> None:
        """Write one object, replacing any object with its key, and set its modification time to its arrival."""
        folder, _, name = f"{self._root}/{key}".rpartition("/")
        if folder not in self._made:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._made.add(folder)
        unfinished = f"{folder}/.{name}"
        # Plain system calls: they are the cost of small objects, and `open` with its buffers would double it.
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
