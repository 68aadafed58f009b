"""Who is to be forgotten, and whether a record is theirs. Pure: a record's bytes in, an answer out.

The answer is exact on parsed values, so that `W1` is neither `W10` nor the `W1` of another site. Only text that nobody
can parse is searched for the id as a word.
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
    """One worker of one site. `ids` are all names they have: the cameras' and, where there is a key, the pseudonym."""

    site_id: str
    worker_id: str
    ids: frozenset[str]
    # Keys of their events (contract §7), by which labels name them.
    event_keys: frozenset[str] = frozenset()

    @cached_property
    def bytes_of_ids(self) -> tuple[bytes, ...]:
        """The ids as they stand in a file."""
        return tuple(one.encode() for one in sorted(self.ids))

    @cached_property
    def has_forms(self) -> bool:
        """Whether other characters may stand in a file for the same id, inside of it: see contract/identifiers.py."""
        return any(not one.isascii() or " " in one for one in self.ids)

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Each id as a word: not as a part of a longer one."""
        return word_pattern(*self.ids)

    def may_be_in(self, content: bytes) -> bool:
        """False where no JSON text in these bytes can hold an id or an event key of theirs; cheap."""
        return (
            b"\\" in content  # an id may be spelt with escapes
            or self.has_forms
            or any(one in content for one in self.bytes_of_ids)
            or (bool(self.event_keys) and b"event_key" in content)
        )


def word_pattern(*words: str) -> re.Pattern[str]:
    """Matches each of the words where letters, digits, `_` and `-` neither precede nor follow."""
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])")


def is_theirs(raw: bytes, folder: Folder, person: Person) -> bool:
    """Whether a record names the person: as `worker_id` at any depth, or by the key of one of their events.

    A record that is not JSON counts as theirs when it holds the id as a word and nothing says that it is of another
    site: it is in no number, and what cannot be read cannot be cleared.
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
    """A JSON object with all its members: of two with one name, the contract reads the last, the text holds both."""


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
    """The one form of an id, or the text where it is none."""
    return identifier_or_none(text) or text


def _objects(value: object, site_id: str) -> Iterator[tuple[_Members, str]]:
    """Every JSON object in a value, with the site that holds where it names none."""
    waiting = [(value, site_id)]
    while waiting:
        value, site_id = waiting.pop()
        if isinstance(value, _Members):
            yield value, site_id
            own = [inner for name, inner in value if name == "site_id" and isinstance(inner, str)]
            waiting += [(inner, own[-1] if own else site_id) for _, inner in value]
        elif isinstance(value, list):
            waiting += [(inner, site_id) for inner in value]
