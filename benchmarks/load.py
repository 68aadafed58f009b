"""Measures how long honest clients of report and intake wait under load, alone and beside hostile clients.

Each server is a separate process, and each client a separate connection on loopback. All honest clients of a server
are measured together, and none of them may be refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.intake.keys import COLUMNS, hash_of

Add = Callable[[str, str, str], None]

PAGES, PAGE_SECONDS = 1_000, 15
CAMERAS, CAMERA_SECONDS = 500, 1
SECONDS = 45
SETTLE_SECONDS = 5  # by then all clients have connected, and the servers have loaded their modules
_PART_BYTES = 32 << 20
_BODY_BYTES = 4 << 20
RESULTS = Path(__file__).with_name("results-load.md")
_PART = "/data/0123456789abcdef/table.parquet"


@dataclass
class Met:
    """The results of honest clients: the seconds of each answer, and every unsuccessful or missing answer."""

    seconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def load(work: Path, add: Add, seconds: float = SECONDS) -> None:
    """Measure the honest requests to report and intake, first alone, then beside hostile clients of every kind.

    Raises:
        RuntimeError: an honest client was refused.
    """
    for name, with_hostile in (("honest clients alone", False), ("and one of each hostile", True)):
        report, intake = asyncio.run(_measure(work / f"load-{with_hostile}", seconds, with_hostile))
        for what, clients, met in (
            ("report", f"{PAGES:,} open pages that ask every {PAGE_SECONDS} s", report),
            ("intake", f"{CAMERAS} cameras that post every {CAMERA_SECONDS} s", intake),
        ):
            cuts = statistics.quantiles(met.seconds, n=100)
            result = f"p50 {cuts[49] * 1000:.1f} ms, p95 {cuts[94] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, "
            result += f"{len(met.refused)} of {len(met.seconds):,} refused"
            add(f"load: {what}, {clients}, {name}", f"{seconds:.0f}", result)
            if met.refused:
                raise RuntimeError(f"The {what} refused an honest client: {met.refused[0]}")


async def _measure(work: Path, seconds: float, with_hostile: bool) -> tuple[Met, Met]:
    report, intake = Met(), Met()
    keys = _lay_out(work)
    with _server(work, "reports.serve") as report_port, _server(work, "ingestion.intake") as intake_port:
        honest = [_page(report_port, number, report) for number in range(PAGES)]
        honest += [_camera(intake_port, number, key, intake) for number, key in enumerate(keys[:-1])]
        hostile = [*_hostile_to_report(report_port), *_hostile_to_intake(intake_port, keys[-1])] if with_hostile else []
        tasks = [asyncio.ensure_future(one) for one in [*honest, *hostile]]
        await asyncio.sleep(SETTLE_SECONDS)
        for met in (report, intake):
            met.seconds.clear()
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
                raise ended
    return report, intake


def _lay_out(work: Path) -> list[str]:
    """Write a small site with one large file. Returns a key for each camera, then one for the hostile client."""
    for name, content in {
        "index.html": b"<!doctype html><title>Floorhouse</title>" + b" " * 4000,
        "data/manifest.json": json.dumps({"parts": {f"table-{at}": f"{at:016x}" for at in range(100)}}).encode(),
        _PART.lstrip("/"): bytes(_PART_BYTES),
    }.items():
        (work / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (work / "site" / name).write_bytes(content)
    keys = [f"key-{number}" for number in range(CAMERAS + 1)]
    lines = [",".join(COLUMNS), *(f"site,camera-{number},{hash_of(key)}" for number, key in enumerate(keys))]
    (work / "keys.csv").write_text("\n".join(lines))
    return keys


async def _page(port: int, number: int, met: Met) -> None:
    await asyncio.sleep(SETTLE_SECONDS * number / PAGES)
    async with _kept(port) as ask:
        while True:
            # Pages that were opened together refresh together, so a tenth of all pages asks at the same moment.
            await asyncio.sleep(PAGE_SECONDS - time.monotonic() % PAGE_SECONDS + PAGE_SECONDS * (number % 10) / 10)
            await _count(met, ask(b"GET /data/manifest.json HTTP/1.1\r\nHost: localhost\r\n\r\n"))


async def _camera(port: int, number: int, key: str, met: Met) -> None:
    await asyncio.sleep(SETTLE_SECONDS * number / CAMERAS)
    async with _kept(port) as ask:
        for at in range(1_000_000):
            body = json.dumps(_event(number, at)).encode()
            started = time.monotonic()
            await _count(met, ask(_post("/api/events", key, len(body)) + body))
            await asyncio.sleep(max(CAMERA_SECONDS - (time.monotonic() - started), 0))


def _event(number: int, at: int) -> dict[str, object]:
    return {
        "timestamp": f"2026-01-15T10:{at // 60 % 60:02}:{at % 60:02}Z",
        "site_id": "site", "camera_id": f"camera-{number}", "worker_id": "W1", "workstation_id": "S3",
        "event_type": "working", "confidence": 0.93,
    }  # fmt: skip


async def _count(met: Met, asked: Awaitable[bytes]) -> None:
    started = time.monotonic()
    status = await asked
    met.seconds.append(time.monotonic() - started)
    if status[9:10] != b"2":
        met.refused.append(status.decode(errors="replace").strip() or "the connection was closed without an answer")


@asynccontextmanager
async def _kept(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    """A function that sends a request over one kept connection and returns the answer's status line, empty if none.

    Like other HTTP clients, it retries once if the server has closed the idle connection.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(request: bytes) -> bytes:
        nonlocal reader, writer
        for _ in range(2):
            try:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if length := re.search(rb"(?i)content-length: (\d+)", head):
                    await reader.readexactly(int(length[1]))
                return head.partition(b"\r\n")[0]
            except (OSError, EOFError):
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return b""

    try:
        yield ask
    finally:
        writer.close()


def _post(path: str, key: str, length: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Length: {length}\r\n\r\n".encode()


def _hostile_to_report(port: int) -> Iterator[Awaitable[None]]:
    """Clients with unfinished request heads, unread large answers, requests with bodies, and many short connections."""
    unread = f"GET {_PART} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    body = b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
    yield from (_sent(port, b"GET / HTTP/1.1\r\nHost: lo", b"c") for _ in range(200))
    yield from (_sent(port, unread * 4, b"") for _ in range(16))
    yield _sent(port, body, b"GET /data/manifest.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
    yield _crowd(port, 200)


def _hostile_to_intake(port: int, key: str) -> Iterator[Awaitable[None]]:
    """Clients with one key: unfinished bodies and the most expensive arrays. Without a key: unfinished request heads
    and many short connections.
    """
    arrays = {
        "too many": b"[" + b"1," * (_BODY_BYTES // 2 - 2) + b"1]",
        "read exactly only": b'["\\ud800",' + b"1," * (_BODY_BYTES // 2 - 8) + b"1]",
        "cut off": b"[" + b"1," * (_BODY_BYTES // 2 - 2),
        "large records": b"[" + b",".join([b'{"a":[' + b"1," * 500_000 + b"1]}"] * 4) + b"]",
        "many records": b"[" + b",".join([b'{"a":[' + b"1," * 190 + b"1]}"] * 10_000) + b"]",
    }
    yield from (_sent(port, _post("/api/events/batch", key, _BODY_BYTES), b"1") for _ in range(64))
    yield from (_again(port, _post("/api/events/batch", key, len(array)) + array) for array in arrays.values())
    yield from (_sent(port, b"POST /api/events HTTP/1.1\r\nHost: lo", b"c") for _ in range(200))
    yield _crowd(port, 200)


async def _sent(port: int, first: bytes, then: bytes) -> None:
    """Send `first`, then `then` every second, and never read. Reconnect if the server closes the connection."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            try:
                writer.write(first)
                while True:
                    await asyncio.sleep(1)
                    writer.write(then)
                    await writer.drain()
            finally:
                writer.transport.abort()


async def _again(port: int, request: bytes) -> None:
    """Send the request again as soon as it is answered."""
    while True:
        with contextlib.suppress(OSError, EOFError):
            async with _kept(port) as ask:
                await ask(request)


async def _crowd(port: int, size: int) -> None:
    """Open `size` connections at once, send nothing, close them after a second, and repeat."""
    while True:
        opened = await asyncio.gather(
            *(asyncio.open_connection("127.0.0.1", port) for _ in range(size)), return_exceptions=True
        )
        await asyncio.sleep(1)
        for one in opened:
            if not isinstance(one, BaseException):
                one[1].transport.abort()


@contextmanager
def _server(work: Path, module: str) -> Iterator[int]:
    """The port of a running server, which is ended afterwards."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("FLOORHOUSE_")}
    plant = {"FLOORHOUSE_DATA_DIR": str(work), "FLOORHOUSE_INTAKE_API_KEYS_FILE": str(work / "keys.csv")}
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", "0"], env={**given, **plant}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        if address is None:
            raise RuntimeError(f"{module} did not start.")
        yield int(address[1])
    finally:
        process.terminate()
        process.wait(timeout=120)


HEAD = """# Report and intake under load

Written by `make bench-load`. Servers and clients share one machine; whatever else runs on it makes
everybody wait longer.

"""


def main() -> int:
    """Measure for one minute in all, and write `results-load.md` with the machine and what ran beside it."""
    beside = os.getloadavg()[0]
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        load(Path(folder), lambda *row: rows.append(row), seconds=20)
    machine = f"{os.cpu_count()} cores; load average before: {beside:.1f} (0 is an idle machine)."
    lines = [machine, "", "| what | seconds | |", "| --- | --- | --- |", *(f"| {' | '.join(row)} |" for row in rows)]
    RESULTS.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
