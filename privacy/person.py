"""The person to erase, and whether a record is theirs. Pure: a record's bytes in, an answer out.

The answer is exact on parsed values, so that `W1` is neither `W10` nor the `W1` of another site. Only text that nobody
can parse is searched for the id as a word. Where an id or a name stands and nothing says whose it is (a field that
nobody knows, a list, a text that names no site), it is a *mention*: told, and taken for theirs where somebody says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ingestion.contract.events import DEFAULT_SITE, Folder
from ingestion.contract.identifiers import identifier_or_none

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
# Fields whose text says what it is: another's id in `worker_id` is another person, a station's is a station.
_NAMED = frozenset(
    {"worker_id", "workstation_id", "site_id", "camera_id", "model_name", "model_version", "event_id", "event_key"}
)
_COUNTED = frozenset({"confidence", "count", "count_total", "contract_version"})


@dataclass(frozen=True)
class Person:
    """One worker of one site. `ids` are all ids of the worker: the cameras' id and, with a key, the pseudonym."""

    site_id: str
    worker_id: str
    ids: frozenset[str]
    # The keys of their events (contract §7), which labels refer to.
    event_keys: frozenset[str] = frozenset()
    # What people call them, as far as a registry said so.
    names: frozenset[str] = frozenset()
    is_id_elsewhere: bool = False  # another site has a worker of that id
    takes_mentions: bool = False  # somebody has said that what mentions them is theirs

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

    @cached_property
    def mentioned(self) -> re.Pattern[str]:
        """Ids and names as words. An id of digits alone is any number's: it counts in quotes only."""
        texts = {*self.ids, *self.names}
        words = [text for text in texts if not text.isdigit()]
        quoted = [re.escape(text) for text in texts if text.isdigit()]
        parts = [word_pattern(*words).pattern] * bool(words) + [rf'"\s*(?:{"|".join(quoted)})\s*"'] * bool(quoted)
        return re.compile("|".join(parts))

    def may_be_in(self, content: bytes) -> bool:
        """False where no JSON text in these bytes can hold an id, a name or an event key of theirs; cheap."""
        return (
            b"\\" in content  # an id may be spelt with escapes
            or self.has_forms
            or any(one in content for one in self.bytes_of_ids)
            or any(name.encode() in content or not name.isascii() for name in self.names)
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
    if person.takes_mentions and mentions(raw, folder, person):
        return True
    try:
        value = _parsed(raw)
    except (ValueError, RecursionError):
        text = unescaped(raw)
        site_id = folder.site_id or DEFAULT_SITE
        is_of_site = _form(site_id) == person.site_id or word_pattern(person.site_id).search(text) is not None
        return is_of_site and person.words.search(text) is not None
    return any(_names(members, site_id, person) for members, site_id in _objects(value, folder.site_id or DEFAULT_SITE))


def mentions(raw: bytes, folder: Folder, person: Person) -> bool:
    """Whether a record has an id or a name of the person where nothing says that it is theirs or another's.

    Of what can be parsed these are all texts and names of fields, at any depth, but for the contract's own fields, that
    say what they are; of what cannot, the whole text.
    """
    if not person.may_be_in(raw):
        return False
    try:
        value = _parsed(raw)
    except (ValueError, RecursionError):
        is_of_other = person.is_id_elsewhere and folder.site_id is not None and _form(folder.site_id) != person.site_id
        return not is_of_other and person.mentioned.search(unescaped(raw)) is not None
    return any(person.mentioned.search(text) for text in _unattributed(value, False))


def unescaped(raw: bytes) -> str:
    """A text with each character as it is, where JSON's `\\uXXXX` stands for it too."""
    text = raw.decode("utf-8", "replace")
    return _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), text) if "\\u" in text else text


def _parsed(raw: bytes) -> object:
    return json.loads(raw.decode("utf-8"), object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number)


def _unattributed(value: object, is_field: bool) -> Iterator[str]:
    """Texts of a JSON value that no field of the contract explains; numbers are texts in quotes here, as ids may be."""
    waiting = [(value, is_field)]
    while waiting:
        value, is_explained = waiting.pop()
        if isinstance(value, _Members):
            for name, inner in value:
                yield name
                is_number = isinstance(inner, _Number)
                waiting.append((inner, name in _NAMED or (name in _COUNTED and is_number)))
        elif isinstance(value, list):
            waiting += [(inner, False) for inner in value]  # an id in a list is in no field of the contract
        elif isinstance(value, str) and not is_explained:
            yield f'"{_form(value)}"'


class _Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


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
