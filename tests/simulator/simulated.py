"""Reads a simulated bucket and its truth with code that is independent of the simulator and of landing."""

import gzip
import hashlib
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from simulator import Arguments, Summary, simulate

TYPES = ("working", "idle", "absent", "product_count")


@dataclass(frozen=True)
class Simulated:
    """A simulated plant on disk."""

    arguments: Arguments
    summary: Summary

    def truth(self, name: str) -> list[dict[str, Any]]:
        """The rows of one Parquet file of the truth folder, instants as aware UTC datetimes."""
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            found = connection.execute(f"from read_parquet('{self.arguments.truth / name}.parquet')")
            names = [column[0] for column in found.description or []]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def episodes(self, kind: str) -> list[dict[str, Any]]:
        """The planted episodes of one kind, with their instants as datetimes."""
        rows = json.loads((self.arguments.truth / "episodes.json").read_text())
        found = [row for row in rows if row["kind"] == kind]
        for row in found:
            row["started_at"], row["ended_at"] = instant(row["started_at"]), instant(row["ended_at"])
        return found

    def lines(self, key: str) -> list[bytes]:
        """The raw records of one object.

        Of a cut object, the records before the cut and the remaining bytes as the last one.
        """
        content = (self.arguments.landing / key).read_bytes()
        if key.endswith(".gz"):
            with gzip.open(io.BytesIO(content)) as file:
                content = b""
                try:
                    while byte := file.read(1):
                        content += byte
                except EOFError:
                    content += b"" if content.endswith(b"\n") else b"\n"
                    lines = content.splitlines()
                    return lines if reason(lines[-1]) == "malformed_json" else [*lines, b""]
        if key.endswith(".zst"):
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        if key.endswith(".json"):
            return [json.dumps(element).encode() for element in json.loads(content)]
        return content.splitlines()

    def events(self) -> list[dict[str, Any]]:
        """Every record without a fault, with `at` as an instant, its object's key, and its place from the key."""
        found = []
        for delivery in self.truth("deliveries"):
            key = delivery["object_key"]
            for line in self.lines(key):
                if reason(line) is None:
                    record = json.loads(line)
                    place = dict(re.findall(r"(site_id|camera_id)=([^/]+)", key))
                    found.append(place | record | {"at": instant(record["timestamp"]), "key": key})
        return found


def simulate_plant(folder: Path, **arguments: Any) -> Simulated:
    """Simulate a plant below `folder`."""
    chosen = Arguments(folder / "landing", folder / "truth", **arguments)
    return Simulated(chosen, simulate(chosen))


def digests(folder: Path) -> dict[str, str]:
    """The hash of every file below a folder, by its path."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def instant(text: str) -> datetime:
    """An ISO 8601 text with its offset as an instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


def reason(line: bytes) -> str | None:
    """Why the contract rejects a record, written down again from its table; None if it is accepted."""
    try:
        record = json.loads(line)
    except ValueError:
        return "malformed_json"
    if not isinstance(record, dict):
        return "not_an_object"
    if any(
        record.get(name) is None for name in ("timestamp", "worker_id", "workstation_id", "event_type", "confidence")
    ):
        return "missing_field"
    return _wrong_timestamp(record["timestamp"]) or _wrong_value(record)


def _wrong_timestamp(value: Any) -> str | None:
    shape = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"
    if not isinstance(value, str) or not re.match(shape, value):
        return "bad_timestamp"
    if re.fullmatch(shape, value):
        return "timestamp_without_offset"
    return "timestamp_out_of_range" if instant(value) < datetime(2000, 1, 1, tzinfo=UTC) else None


def _wrong_value(record: dict[str, Any]) -> str | None:
    names = [record["worker_id"], record["workstation_id"]]
    confidence, count = record["confidence"], record.get("count", 1)
    if any(not isinstance(name, str) or not 1 <= len(name.strip(" ")) <= 64 for name in names):
        return "bad_identifier"
    if record["event_type"] not in TYPES:
        return "unknown_event_type"
    if not isinstance(confidence, float) or not 0 <= confidence <= 1:
        return "confidence_out_of_range"
    return None if isinstance(count, int) and 0 <= count <= 1_000_000 else "bad_count"


def hours(count: float) -> timedelta:
    """A span of time."""
    return timedelta(hours=count)
