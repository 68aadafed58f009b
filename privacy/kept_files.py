"""Files of the data folder that nothing makes anew, when many people leave the warehouse at once.

Two occasions: the change to pseudonyms or to no people, after which nothing beside the bucket may have the ids that
were there before, and retention, behind whose horizon no line tells of a person. Which files these are says places.py.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path

from ingestion.durable import write_whole
from ingestion.errors import WarehouseError
from ingestion.settings import Settings
from privacy.inventory import Kind, kind_of
from privacy.traces import is_unmistakable

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class People:
    """Those who are no longer called so: pairs of site and id, and names."""

    pairs: list[tuple[str, str]]
    names: list[str]

    @cached_property
    def _sites_of(self) -> dict[str, set[str]]:
        sites: dict[str, set[str]] = {}
        for site, worker in self.pairs:
            sites.setdefault(worker, set()).add(site)
        return sites

    @cached_property
    def _texts(self) -> re.Pattern[str]:
        """Ids and names that are more than one word."""
        texts = [text for text in (*self._sites_of, *self.names) if not _WORD.fullmatch(text)]
        return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.names)

    def in_line(self, line: str) -> bool:
        """Whether a line tells of somebody: by a name, an id that means nothing else, or an id beside its site."""
        if self._texts.search(line):
            return True
        words = set(_WORD.findall(line))
        if words & self._names:
            return True
        return any(
            is_unmistakable(word) or any(site in line for site in self._sites_of[word])
            for word in words & self._sites_of.keys()
        )

    def in_bytes(self, content: bytes) -> int:
        """How many of them stand in bytes, whatever these are."""
        return int(self.in_line(content.decode("utf-8", "replace")))


def forget_people(settings: Settings, people: People) -> None:
    """Take every line that tells of them out of logs and alerts, and remove what was sampled under their ids."""

    def kept(content: str) -> str:
        if content.lstrip()[:1] == "{":  # one record: an alert that was taken stays taken, and says nothing any more
            return "" if people.in_line(content) else content
        return "".join(line for line in content.splitlines(keepends=True) if not people.in_line(line))

    _rewrite(settings, Kind.TEXT, kept)
    sites = {site for site, _ in people.pairs}
    _rewrite(settings, Kind.SAMPLE, lambda content: _lines_where(content, lambda record: not _is_of(record, sites)))


def forget_before(settings: Settings, events: date | None, persons: date | None) -> None:
    """Take out sampled events before a date, and lines of logs and alerts before another: both UTC dates."""
    if events:
        _rewrite(settings, Kind.SAMPLE, partial(_sampled_since, first=events))
    if persons:
        _rewrite(settings, Kind.TEXT, partial(_logged_since, first=persons), persons)


def remove_copies(settings: Settings) -> None:
    """Delete what is a copy of the warehouse, whole or not: it holds what the warehouse held."""
    for path in settings.data_dir.iterdir():
        if Kind.COPY in (kind_of(path.name), kind_of(f"{path.name}/")):
            try:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            except OSError as error:
                raise WarehouseError(f"{path} cannot be removed: {error.strerror}.") from error


def _lines_where(content: str, is_kept: Callable[[dict[str, object]], bool]) -> str:
    return "".join(line for line in content.splitlines(keepends=True) if line.strip() and is_kept(json.loads(line)))


def _is_of(record: dict[str, object], sites: set[str]) -> bool:
    return record.get("site_id") in sites and record.get("worker_id") is not None


def _sampled_since(content: str, first: date) -> str:
    return _lines_where(content, lambda record: str(record.get("timestamp")) >= first.isoformat())


def _logged_since(content: str, first: date) -> str:
    """The lines of a log from a date on; a line without an instant belongs to the one before it."""
    if content.lstrip()[:1] == "{":
        found = _INSTANT.search(content)
        return "" if found and found.group() < first.isoformat() else content
    kept: list[str] = []
    is_kept = True
    for line in content.splitlines(keepends=True):
        if found := _INSTANT.match(line):
            is_kept = found.group() >= first.isoformat()
        if is_kept:
            kept.append(line)
    return "".join(kept)


def _rewrite(settings: Settings, kind: Kind, kept: Callable[[str], str], before: date | None = None) -> None:
    """Give each file of a kind the content that is kept of it; a sample of which nothing is left goes.

    With `before`, a file without instants of its own (dbt's log) goes when it was last written before that date.
    """
    for path in _files_of(settings, kind):
        try:
            content = path.read_text(encoding="utf-8", errors="surrogateescape")
            is_old = before is not None and datetime.fromtimestamp(path.stat().st_mtime, UTC).date() < before
            left = "" if is_old and not _INSTANT.search(content) else kept(content)
            if not left and kind is Kind.SAMPLE:
                path.unlink()
            elif left != content:
                write_whole(path, left.encode("utf-8", "surrogateescape"))
        except FileNotFoundError:
            continue  # taken away
        except (OSError, ValueError) as error:
            raise WarehouseError(f"{path} cannot be rewritten: {error}.") from error


def _files_of(settings: Settings, kind: Kind) -> Iterable[Path]:
    root = settings.data_dir.resolve()
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink() and kind_of(path.relative_to(root).as_posix()) is kind
    ]
