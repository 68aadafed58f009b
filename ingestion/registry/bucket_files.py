"""The files below a bucket's `registry/`: which are registries, which are ignored, and what they contain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ingestion.bucket import Bucket, ObjectInfo
from ingestion.errors import BucketError
from ingestion.mapping.mapping import name_of
from ingestion.registry.content import Content, read_content
from ingestion.registry.files import FILES, Row
from ingestion.registry.timezones import usable_names

PREFIX = "registry/"
CONFIRM = ".confirm"
# What is no file that is read, by the reason of the bucket.
_NO_FILE = {
    "link": "a link, which is not followed",
    "other_owner": "a hard link to a file of another owner, which is not read",
    "no_right": "a folder that this user may not read",
    "no_file": "neither a file nor a folder",
}


@dataclass(frozen=True, slots=True)
class Registry:
    """The rows of every registry, with the contract's column names. A registry without a file has no rows."""

    sites: list[Row] = field(default_factory=list)
    shifts: list[Row] = field(default_factory=list)
    workers: list[Row] = field(default_factory=list)
    workstations: list[Row] = field(default_factory=list)
    targets: list[Row] = field(default_factory=list)
    cameras: list[Row] = field(default_factory=list)
    closures: list[Row] = field(default_factory=list)
    accepted: list[Row] = field(default_factory=list)
    baselines: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    booked: list[Row] = field(default_factory=list)
    released: list[Row] = field(default_factory=list)


class Unreadable(BucketError):
    """A listed file cannot be read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The content of `registry/`: registries, mappings and their confirmations by file name, and the ignored keys.

    The name of a mapping's file begins with `mappings/`. `instead` says what stands in the place of a registry's file.
    """

    files: dict[str, ObjectInfo]
    mappings: dict[str, ObjectInfo]
    confirmations: dict[str, ObjectInfo]
    ignored: list[str]
    instead: dict[str, str] = field(default_factory=dict)


def list_registries(bucket: Bucket) -> Listing:
    """List the folder. A file in a folder below it is no registry; in `mappings/` lie mappings.

    Raises:
        BucketError: the bucket cannot be listed.
    """
    files: dict[str, ObjectInfo] = {}
    mappings: dict[str, ObjectInfo] = {}
    confirmations: dict[str, ObjectInfo] = {}
    ignored: list[str] = []
    instead: dict[str, str] = {}
    for info in bucket.list(PREFIX):
        name = info.key.removeprefix(PREFIX)
        if name in FILES:
            files[name] = info
        elif name_of(info.key) is not None:
            mappings[name] = info
        elif name.removesuffix(CONFIRM) in FILES or name_of(info.key.removesuffix(CONFIRM)) is not None:
            confirmations[name.removesuffix(CONFIRM)] = info
        elif name and not name.endswith("/"):
            ignored.append(info.key)
            if name.partition("/")[0] in FILES:
                instead[name.partition("/")[0]] = "a folder"
    for passed in bucket.passed_over:
        name = passed.key.removeprefix(PREFIX)
        if name in FILES and name not in files:
            instead[name] = _NO_FILE.get(passed.reason, _NO_FILE["no_file"])
    return Listing(files, mappings, confirmations, sorted(ignored), instead)


def fetch_content(bucket: Bucket, key: str) -> bytes:
    """A registry file's bytes.

    Raises:
        Unreadable: permission is missing, or the file has gone. Continuing without it would remove its rows from the
        reports.
        BucketError: the bucket does not answer.
    """
    fetched = next(iter(bucket.fetch([key])), None)
    if fetched is None:
        raise Unreadable(f"{key} cannot be read: this user may not read it, or it has just been removed.")
    return fetched.content or b""


def read_contents(bucket: Bucket, files: Collection[ObjectInfo], timezones: Collection[str]) -> dict[str, Content]:
    """The contents of files by name. `timezones` are the names that the database knows."""
    usable = usable_names(timezones)
    return {
        info.key.removeprefix(PREFIX): read_content(info.key, fetch_content(bucket, info.key), usable) for info in files
    }


def read_registry(bucket: Bucket, timezones: Collection[str]) -> Registry:
    """The registries as they are in the bucket. `timezones` are the names that the database knows.

    Raises:
        RegistryError: a row is invalid; the message names file, line and value.
        BucketError: the bucket cannot be read.
    """
    contents = read_contents(bucket, list_registries(bucket).files.values(), timezones)
    for content in contents.values():
        if content.error is not None:
            raise content.error
    return Registry(**{name.removesuffix(".csv"): content.rows for name, content in contents.items()})
