"""The API keys of cameras and of reviewers, stored as hashes in two files that a person edits.

    python -m ingestion.intake.keys --site north [--camera gate-3]
    python -m ingestion.intake.keys --site north --reviewer reviewer-1

makes a new key and prints it once, with the line to add to the file. A key has 256 random bits, so nobody can find it
from its plain SHA-256. A camera's key writes no label, and a reviewer's key writes no event.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ingestion.contract.events import Event
from ingestion.contract.identifiers import MAX_IDENTIFIER_LENGTH, identifier_or_none
from ingestion.errors import SettingsError
from ingestion.intake.answers import Problem

COLUMNS = ["site_id", "camera_id", "key_sha256"]
REVIEWER_COLUMNS = ["site_id", "reviewer", "key_sha256"]
ANY = "*"
Owner = TypeVar("Owner")
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
    is_open: bool = True  # without senders: whether everyone is one, or nobody

    def sender_of(self, key: str | None) -> Sender | None:
        """The sender with this key, or None. How long that takes depends on the hash alone and reveals nothing."""
        if not self.senders:
            return Sender() if self.is_open else None
        return self.senders.get(hash_of(key or ""))


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who labels, and of which site; None stands for every site. The name is that of the labels (contract §7)."""

    name: str
    site_id: str | None = None


def hash_of(key: str) -> str:
    """The stored form of a key: 64 hexadecimal digits."""
    return hashlib.sha256(key.encode("utf-8", errors="surrogatepass")).hexdigest()


def read_api_keys(path: Path) -> ApiKeys:
    """The keys of a CSV file with the columns `site_id`, `camera_id` (empty: all of the site) and `key_sha256`.

    Raises:
        SettingsError: one sentence with file, line and value.
    """

    def sender(site_id: str | None, camera_id: str, _: str) -> Sender:
        return Sender(site_id, None if camera_id in ("", ANY) else camera_id)

    return ApiKeys(_read_keys(path, COLUMNS, sender))


def read_reviewers(path: Path) -> dict[str, Reviewer]:
    """The reviewers by the SHA-256 of their keys, of a CSV file with the columns `site_id`, `reviewer`, `key_sha256`.

    A reviewer may have several keys.

    Raises:
        SettingsError: one sentence with file, line and value.
    """

    def reviewer(site_id: str | None, name: str, place: str) -> Reviewer:
        read = identifier_or_none(name)
        if read is None:
            raise SettingsError(
                f"{place}: reviewer is {name!r}; expected 1 to {MAX_IDENTIFIER_LENGTH} characters, such as reviewer-1."
            )
        return Reviewer(read, site_id)

    return _read_keys(path, REVIEWER_COLUMNS, reviewer)


def _read_keys(path: Path, columns: list[str], owner_of: Callable[[str | None, str, str], Owner]) -> dict[str, Owner]:
    """The owners of a file's keys. `owner_of` gets the site, the second column and the line's place."""
    owners: dict[str, Owner] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if rows.fieldnames != columns:
                raise SettingsError(f"{path}, line 1: the columns are {rows.fieldnames}; expected {columns}.")
            for row in rows:
                place = f"{path}, line {rows.line_num}"
                site_id, second, key_sha256 = _read_row(row, columns, place)
                if key_sha256 in owners:
                    raise SettingsError(f"{path} has the key_sha256 {key_sha256} on two lines; each key has one.")
                owners[key_sha256] = owner_of(None if site_id == ANY else site_id, second, place)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"The API keys of {path} cannot be read: {error}.") from error
    if not owners:
        # An emptied file must not open the door to everyone.
        raise SettingsError(f"{path} has no API keys; at least one line below the columns is expected.")
    return owners


def _read_row(row: dict[str, str | None], columns: list[str], place: str) -> tuple[str, str, str]:
    site_id, second, key_sha256 = ((row.get(name) or "").strip(" ") for name in columns)
    if None in row or row["key_sha256"] is None:
        raise SettingsError(f"{place}: the line has not three columns; expected {columns}.")
    if not site_id:
        raise SettingsError(f"{place}: site_id is empty; expected a site, or {ANY} for all of them.")
    if not _SHA256.fullmatch(key_sha256):
        raise SettingsError(f"{place}: key_sha256 is {key_sha256!r}; expected 64 hexadecimal digits in lower case.")
    return site_id, second, key_sha256


def main() -> None:
    """Make one new key."""
    parser = argparse.ArgumentParser(prog="python -m ingestion.intake.keys", description="Make a new API key.")
    parser.add_argument("--site", required=True, help=f"the site it may write, or {ANY}")
    owner = parser.add_mutually_exclusive_group()
    owner.add_argument("--camera", default="", help="the only camera it may write; all of the site's without it")
    owner.add_argument("--reviewer", default="", help="the name in this reviewer's labels, best a role or number")
    arguments = parser.parse_args()
    key = secrets.token_urlsafe(32)
    print(f"for the {'reviewer' if arguments.reviewer else 'camera'}, shown only now: {key}", file=sys.stderr)
    line = [arguments.site, arguments.reviewer or arguments.camera, hash_of(key)]
    csv.writer(sys.stdout, lineterminator="\n").writerow(line)


if __name__ == "__main__":
    main()
