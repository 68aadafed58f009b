"""The files below `registry/` of a bucket: which are registries, which are ignored, and what the newest ones hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ingestion.bucket import Bucket, ObjectInfo
from ingestion.errors import BucketError
from ingestion.registry.content import Content, read_content
from ingestion.registry.files import FILES, Row
from ingestion.registry.timezones import usable_names

PREFIX = "registry/"
MAPPINGS = f"{PREFIX}mappings/"
CONFIRM = ".confirm"


@dataclass(frozen=True, slots=True)
class Registry:
    """Every registry's rows, columns named as in the contract. A registry without a file has no rows."""

    sites: list[Row] = field(default_factory=list)
    shifts: list[Row] = field(default_factory=list)
    workers: list[Row] = field(default_factory=list)
    workstations: list[Row] = field(default_factory=list)
    targets: list[Row] = field(default_factory=list)
    cameras: list[Row] = field(default_factory=list)
    closures: list[Row] = field(default_factory=list)
    baselines: list[Row] = field(default_factory=list)


class Unreadable(BucketError):
    """A file that is listed cannot be read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in `registry/`: the registries and their confirmations by file name, and the keys that are ignored."""

    files: dict[str, ObjectInfo]
    confirmations: dict[str, str]
    ignored: list[str]


def list_registries(bucket: Bucket) -> Listing:
    """Look at the folder. A file in a folder of its own is no registry.

    Raises:
        BucketError: the bucket cannot be listed.
    """
    files: dict[str, ObjectInfo] = {}
    confirmations: dict[str, str] = {}
    ignored: list[str] = []
    for info in bucket.list(PREFIX):
        name = info.key.removeprefix(PREFIX)
        if name in FILES:
            files[name] = info
        elif name.removesuffix(CONFIRM) in FILES:
            confirmations[name.removesuffix(CONFIRM)] = info.key
        elif name and not name.endswith("/") and not info.key.startswith(MAPPINGS):
            ignored.append(info.key)
    return Listing(files, confirmations, sorted(ignored))


def fetch_content(bucket: Bucket, key: str) -> bytes:
    """A registry file's bytes.

    Raises:
        Unreadable: it may not be read, or is gone by now: going on as without it would take its rows from the reports.
        BucketError: the bucket does not answer.
    """
    fetched = next(iter(bucket.fetch([key])), None)
    if fetched is None:
        raise Unreadable(f"{key} cannot be read: it may not be read by this user, or it was just taken away.")
    return fetched.content or b""


def read_contents(bucket: Bucket, files: Collection[ObjectInfo], timezones: Collection[str]) -> dict[str, Content]:
    """The contents of files by their names. `timezones` are the names that the database knows."""
    usable = usable_names(timezones)
    return {
        info.key.removeprefix(PREFIX): read_content(info.key, fetch_content(bucket, info.key), usable) for info in files
    }


def read_registry(bucket: Bucket, timezones: Collection[str]) -> Registry:
    """The registries as they lie in the bucket. `timezones` are the names that the database knows.

    Raises:
        RegistryError: a row cannot be right; names file, line and value.
        BucketError: the bucket cannot be read.
    """
    contents = read_contents(bucket, list_registries(bucket).files.values(), timezones)
    for content in contents.values():
        if content.error is not None:
            raise content.error
    return Registry(**{name.removesuffix(".csv"): content.rows for name, content in contents.items()})
