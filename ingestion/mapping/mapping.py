"""A mapping as a value: its name, its text, and where its file lies. Opens no database."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from ingestion.errors import FloorhouseError

MAPPINGS = "registry/mappings/"
ENDING = ".sql"
HASH_CHARACTERS = 16
_NAME = re.compile(r"[A-Za-z0-9-][A-Za-z0-9._-]{0,63}")


class MappingError(FloorhouseError):
    """A mapping is wrong or fails; the message names file, line and reason, and only its source stops."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping: the name of its source and its text. `file` is a file elsewhere that a person tries."""

    name: str
    sql: str
    file: str = ""

    @property
    def key(self) -> str:
        """The key of its file, as messages name it."""
        return self.file or key_of(self.name)

    @property
    def hash(self) -> str:
        """The short hash of its text."""
        return hashlib.sha256(self.sql.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_CHARACTERS]

    @property
    def label(self) -> str:
        """Its name and hash, as `landed_objects` shows them."""
        return f"{self.name}@{self.hash}"


def key_of(name: str) -> str:
    """The key of the file of a source's mapping."""
    return f"{MAPPINGS}{name}{ENDING}"


def name_of(key: str) -> str | None:
    """The source of a mapping's file; None if the key is not one of a mapping."""
    if not (key.startswith(MAPPINGS) and key.endswith(ENDING)):
        return None
    name = key.removeprefix(MAPPINGS).removesuffix(ENDING)
    return name if is_name(name) else None


def is_name(name: str) -> bool:
    """Whether a mapping can have this name."""
    return _NAME.fullmatch(name) is not None
