"""The person to erase, and whether a record is theirs. Pure: a record's bytes in, an answer out.

Parsed values are compared exactly, so that `W1` matches neither `W10` nor the `W1` of another site. Only text that
cannot be parsed is searched for the id as a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ingestion.contract.events import DEFAULT_SITE, Folder
from ingestion.contract.identifiers import identifier_or_none


@dataclass(frozen=True)
class Person:
    """One worker of one site. `ids` are all ids of the worker: the cameras' id and, with a key, the pseudonym."""

    site_id: str
    worker_id: str
    ids: frozenset[str]
    # The keys of their events (contract §7), which labels refer to.
    event_keys: frozenset[str] = frozenset()

    @cached_property
    def bytes_of_ids(self) -> tuple[bytes, ...]:
        """The ids as bytes in a file."""
        return tuple(one.encode() for one in sorted(self.ids))

    @cached_property
    def has_forms(self) -> bool:
        """Whether a file may spell the same id with other characters: see contract/identifiers.py."""
        return any(not one.isascii() or " " in one for one in self.ids)

    @cached_property
    def words(self) -> re.Pattern[str]:
        """A pattern for each id as a whole word."""
        return word_pattern(*self.ids)

    def may_be_in(self, content: bytes) -> bool:
        """A cheap check: False if no JSON text in these bytes can contain an id or an event key of theirs."""
        return (
            b"\\" in content  # an id may be spelt with escapes
            or self.has_forms
            or any(one in content for one in self.bytes_of_ids)
            or (bool(self.event_keys) and b"event_key" in content)
        )


def word_pattern(*words: str) -> re.Pattern[str]:
    """A pattern that matches each word if no letter, digit, `_` or `-` precedes or follows it."""
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])")


def is_theirs(raw: bytes, folder: Folder, person: Person) -> bool:
    """Whether a record names the person: as `worker_id` at any depth, or by the key of one of their events.

    A record that is not JSON counts as theirs if it contains the id as a word and nothing shows that it belongs to
    another site: it is in no figure, and an unreadable record cannot be proved to be somebody else's.
    """
    if not person.may_be_in(raw):
        return False
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_Members, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        text = raw.decode("utf-8", "replace")
        site_id = folder.site_id or DEFAULT_SITE
        is_of_site = _form(site_id) == person.site_id or word_pattern(person.site_id).search(text) is not None
        return is_of_site and person.words.search(text) is not None
    return any(_names(members, site_id, person) for members, site_id in _objects(value, folder.site_id or DEFAULT_SITE))


class _Members(list[tuple[str, object]]):
    """A JSON object with all its members, because the text keeps both of two members with one name."""


def _names(members: _Members, site_id: str, person: Person) -> bool:
    sites = [value for name, value in members if name == "site_id" and isinstance(value, str)] or [site_id]
    return any(
        isinstance(value, str)
        and (
            (name == "worker_id" and _form(value) in person.ids and person.site_id in set(map(_form, sites)))
            or (name == "event_key" and value in person.event_keys)
        )
        for name, value in members
    )


def _form(text: str) -> str:
    """The normalised id, or the text itself if it is not an id."""
    return identifier_or_none(text) or text


def _objects(value: object, site_id: str) -> Iterator[tuple[_Members, str]]:
    """Every JSON object in a value, with the enclosing site for objects that name none."""
    waiting = [(value, site_id)]
    while waiting:
        value, site_id = waiting.pop()
        if isinstance(value, _Members):
            yield value, site_id
            own = [inner for name, inner in value if name == "site_id" and isinstance(inner, str)]
            waiting += [(inner, own[-1] if own else site_id) for _, inner in value]
        elif isinstance(value, list):
            waiting += [(inner, site_id) for inner in value]
