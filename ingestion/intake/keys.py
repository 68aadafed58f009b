"""The API keys of sites and cameras, stored as hashes in a file that a person edits.

    python -m ingestion.intake.keys --site north [--camera gate-3]

makes a new key and prints it once, with the line to add to the file. A key has 256 random bits, so nobody can find it
from its plain SHA-256.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.contract.events import Event
from ingestion.errors import SettingsError
from ingestion.intake.answers import Problem

COLUMNS = ["site_id", "camera_id", "key_sha256"]
ANY = "*"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Sender:
    """What a key may write; None stands for every site or every camera."""

    site_id: str | None = None
    camera_id: str | None = None

    def objection_to(self, event: Event) -> Problem | None:
        """Why this sender may not write an event, or None. Site and camera have the contract's defaults if absent."""
        for name, allowed, written in (
            ("site_id", self.site_id, event.site_id),
            ("camera_id", self.camera_id, event.camera_id),
        ):
            if allowed is not None and written != allowed:
                return Problem(
                    403, f"other_{name[:-3]}", f'{name} is "{written}"; this API key may write "{allowed}" only.'
                )
        return None


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The senders by the SHA-256 of their keys. If there are none, no key is required."""

    senders: Mapping[str, Sender] = field(default_factory=dict)

    def sender_of(self, key: str | None) -> Sender | None:
        """The sender with this key, or None. How long that takes depends on the hash alone and reveals nothing."""
        return self.senders.get(hash_of(key or "")) if self.senders else Sender()


def hash_of(key: str) -> str:
    """The stored form of a key: 64 hexadecimal digits."""
    return hashlib.sha256(key.encode("utf-8", errors="surrogatepass")).hexdigest()


def read_api_keys(path: Path) -> ApiKeys:
    """The keys of a CSV file with the columns `site_id`, `camera_id` (empty: all of the site) and `key_sha256`.

    Raises:
        SettingsError: one sentence with file, line and value.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if rows.fieldnames != COLUMNS:
                raise SettingsError(f"{path}, line 1: the columns are {rows.fieldnames}; expected {COLUMNS}.")
            senders = tuple(_read_row(row, f"{path}, line {rows.line_num}") for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"The API keys of {path} cannot be read: {error}.") from error
    hashes = [key_sha256 for key_sha256, _ in senders]
    if repeated := next((one for one in hashes if hashes.count(one) > 1), None):
        raise SettingsError(f"{path} has the key_sha256 {repeated} on two lines; each key has one.")
    if not senders:
        # An emptied file must not open the door to everyone.
        raise SettingsError(f"{path} has no API keys; at least one line below the columns is expected.")
    return ApiKeys(dict(senders))


def _read_row(row: dict[str, str | None], place: str) -> tuple[str, Sender]:
    site_id, camera_id, key_sha256 = ((row.get(name) or "").strip(" ") for name in COLUMNS)
    if None in row or row["key_sha256"] is None:
        raise SettingsError(f"{place}: the line has not three columns; expected {COLUMNS}.")
    if not site_id:
        raise SettingsError(f"{place}: site_id is empty; expected a site, or {ANY} for all of them.")
    if not _SHA256.fullmatch(key_sha256):
        raise SettingsError(f"{place}: key_sha256 is {key_sha256!r}; expected 64 hexadecimal digits in lower case.")
    sender = Sender(None if site_id == ANY else site_id, None if camera_id in ("", ANY) else camera_id)
    return key_sha256, sender


def main() -> None:
    """Make one new key."""
    parser = argparse.ArgumentParser(prog="python -m ingestion.intake.keys", description="Make a new API key.")
    parser.add_argument("--site", required=True, help=f"the site it may write, or {ANY}")
    parser.add_argument("--camera", default="", help="the only camera it may write; all of the site's without it")
    arguments = parser.parse_args()
    key = secrets.token_urlsafe(32)
    print(f"for the camera, shown only now: {key}", file=sys.stderr)
    csv.writer(sys.stdout, lineterminator="\n").writerow([arguments.site, arguments.camera, hash_of(key)])


if __name__ == "__main__":
    main()
