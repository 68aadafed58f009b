"""Defines what counts as a trace of a person in a table, a text or bytes.

Parsed values are compared exactly. Text and bytes that cannot be parsed are searched only for names that are
unmistakable: a short id, an everyday word, or an id in use elsewhere would give false matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from ingestion.contract.events import DEFAULT_SITE, Folder, folder_of
from ingestion.stored_tables import literal
from privacy.person import Person, is_theirs, mentions, unescaped, word_pattern

_SHORTEST_WORD = 6


@dataclass(frozen=True)
class Traces:
    """How one person is recognised. `words` are the names that mean this person wherever they occur."""

    person: Person
    words: frozenset[str]
    is_id_elsewhere: bool  # another site has a worker with that id

    def in_line(self, line: str) -> bool:
        """Whether a log line is about the person: it contains one of the words, or both id and site."""
        if any(word in line for word in self.words):
            return True
        if self.person.takes_mentions and self.person.mentioned.search(line):
            return True
        return bool(self.person.words.search(line) and word_pattern(self.person.site_id).search(line))

    def in_bytes(self, content: bytes) -> int:
        """How often the words stand in bytes, whatever they are."""
        plain = sum(content.count(word.encode()) for word in self.words)
        if not self.words or b"\\u" not in content:
            return plain
        text = unescaped(content)  # a word may be spelt with JSON's escapes
        return max(plain, sum(text.count(word) for word in self.words))

    def in_record(self, raw: bytes, path: str) -> bool:
        """Whether a JSON text is theirs; the path's folders give the site if the text names none."""
        is_of_site = self.person.site_id in re.split(r"[/\\]", path)
        folder = Folder(self.person.site_id) if is_of_site or not self.is_id_elsewhere else folder_of(path)
        return is_theirs(raw, folder, self.person)

    def condition(self, connection: duckdb.DuckDBPyConnection, relation: str) -> str:
        """An SQL condition for the rows of a relation that are theirs."""
        described = connection.execute(f"describe select * from {relation}").fetchall()
        columns = {name: kind for name, kind, *_ in described}
        ids, site = _list(self.person.ids), literal(self.person.site_id)
        parts = ["false"]
        if "worker_id" in columns:
            of_site = f"coalesce(site_id, '{DEFAULT_SITE}') = {site}" if "site_id" in columns else None
            if of_site or not self.is_id_elsewhere:
                parts.append(f"({of_site or 'true'} and worker_id in {ids})")
        if "event_key" in columns and self.person.event_keys:
            parts.append(f"event_key in {_list(self.person.event_keys)}")
        if "payload" in columns:
            parts.append(f"payload in {_list(self._payloads(connection, relation, 'object_key' in columns))}")
        for name, kind in columns.items():
            if "VARCHAR" in kind or kind == "JSON":
                parts += [f'contains("{name}"::varchar, {literal(word)})' for word in sorted(self.words)]
        return " or ".join(parts)

    def count_rows(self, connection: duckdb.DuckDBPyConnection, relation: str) -> int:
        """How many rows of a relation are theirs."""
        condition = self.condition(connection, relation)
        row = connection.execute(f"select count(*) from {relation} where {condition}").fetchone()
        return row[0] if row else 0

    def count_mentions(self, connection: duckdb.DuckDBPyConnection, relation: str) -> int:
        """How many rows of a relation mention the person in what cameras wrote: a rejected text, an unknown field."""
        columns = {name for name, *_ in connection.execute(f"describe select * from {relation}").fetchall()}
        if "payload" in columns:
            where = f"payload is not null and not coalesce({self.condition(connection, relation)}, false)"
            key = "object_key" if "object_key" in columns else "''"
            rows = connection.execute(f"select payload, {key} from {relation} where {where}").fetchall()
            return sum(mentions(text.encode("utf-8", "surrogatepass"), folder_of(at), self.person) for text, at in rows)
        for column in ("unexpected_fields", "field"):
            if column in columns:
                rows = connection.execute(f'select "{column}"::varchar from {relation}').fetchall()
                return sum(self.person.mentioned.search(text) is not None for (text,) in rows if text)
        return 0

    def _payloads(self, connection: duckdb.DuckDBPyConnection, relation: str, has_key: bool) -> set[str]:
        """The texts of rejected records that are theirs."""
        key = "object_key" if has_key else "''"
        query = f"select distinct payload, {key} from {relation} where payload is not null"
        rows = connection.execute(query).fetchall()
        encoded = [(text, text.encode("utf-8", "surrogatepass"), folder_of(at)) for text, at in rows]
        return {text for text, raw, folder in encoded if is_theirs(raw, folder, self.person)}


def is_unmistakable(name: str) -> bool:
    """Whether a text is long enough and no everyday word: letters, and something that is none."""
    return (
        len(name) >= _SHORTEST_WORD
        and any(character.isalpha() for character in name)
        and any(not character.isalpha() for character in name)
    )


def unmistakable(names: Iterable[str], others: Iterable[str]) -> frozenset[str]:
    """Those names that mean nothing else: long enough, no everyday word, and not a part of any of the `others`."""
    distinct = [name for name in names if is_unmistakable(name)]
    text = "\n".join(others)
    return frozenset(name for name in distinct if name not in text)


def _list(values: Iterable[str]) -> str:
    return "(" + ", ".join(["null", *(literal(value) for value in sorted(values))]) + ")"
