"""Decides whether a person has confirmed what is refused. A confirmation holds once, for what is refused when it is
written (§1).

The bucket may be read-only, so a used confirmation stays there; the warehouse notes which one it was. The instant at
which it was written tells a new one from it. Instants are only compared for equality, so no clock needs to be right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from ingestion.bucket import Bucket
from ingestion.errors import RegistryError
from ingestion.registry.bucket_files import CONFIRM, PREFIX, Listing, Unreadable, fetch_content
from ingestion.registry.csv_reading import decode


@dataclass(frozen=True, slots=True)
class Confirmations:
    """The confirmations of one batch. `file` is a file's name below `registry/`."""

    connection: duckdb.DuckDBPyConnection
    bucket: Bucket
    listing: Listing
    log: Callable[[str], None]

    def holds(self, file: str, refused_hash: str) -> bool:
        """Whether an unused confirmation of a file names this hash; logs why one that lies there does not."""
        info = self.listing.confirmations.get(file)
        if info is None:
            return False
        try:
            words = decode(info.key, fetch_content(self.bucket, info.key)).lower().split()
        except (Unreadable, RegistryError) as error:
            words = []
            self.log(str(error))
        if refused_hash not in (word.strip("\"'\ufeff") for word in words):
            self.log(f"{info.key} does not hold {refused_hash}, the hash of what is refused")
            return False
        if self._is_spent(file):
            self.log(f"{info.key} was written before this change and does not confirm it")
            return False
        return True

    def spend(self, file: str) -> None:
        """Note that the confirmation that lies beside a file has no more effect: nothing of the file is refused."""
        info = self.listing.confirmations.get(file)
        if info is None or self._is_spent(file):
            return
        self.connection.execute("delete from raw.spent_confirmations where file = ?", [file])
        self.connection.execute(
            "insert into raw.spent_confirmations by name select $file as file, $at::timestamptz as written_at",
            {"file": file, "at": info.modified},
        )

    def request(self, file: str, refused_hash: str) -> str:
        """The sentence that says how to confirm what is refused."""
        again = " once more" if file in self.listing.confirmations and self._is_spent(file) else ""
        return f"If that is meant, write {refused_hash} into {PREFIX}{file}{CONFIRM}{again}."

    def _is_spent(self, file: str) -> bool:
        row = self.connection.execute(
            "select written_at from raw.spent_confirmations where file = ?", [file]
        ).fetchone()
        return row is not None and bool(row[0] == self.listing.confirmations[file].modified)
