"""Topics to cameras: the patterns of the setting, and where a topic's messages belong. Pure functions.

    plant/{site_id}/{camera_id}/events
    frigate/events source=frigate site_id=north
    line-1/+/counter/# camera_id=line-1

A pattern is a topic filter in which a level may be a name in braces: the topic's own level is then that folder of the
key. Folders may also be given after the filter. A level has to be an identifier (contract §2) and is percent-encoded
where the key needs that. So a topic decides the name of a folder and never its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingestion.contract.identifiers import identifier_or_none
from ingestion.edge.names import Stream, why_not_an_identifier

FOLDERS = ("site_id", "camera_id", "source")
MAX_TOPIC_BYTES = 65_535  # what MQTT can carry
_NAMED = re.compile(r"\{(.*)\}")
_SOURCE = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # it is also the name of the mapping's file
_NOT_IN_A_FOLDER = re.compile(r"[%\\\x00-\x1f\x7f]")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # landing takes it for none


class BadPattern(ValueError):
    """A pattern cannot be used; the message ends the sentence."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: its levels, and the folders that it gives whatever the topic."""

    levels: tuple[str, ...]
    given: dict[str, str] = field(hash=False)

    @property
    def topic_filter(self) -> str:
        """What is subscribed to."""
        return "/".join("+" if _NAMED.fullmatch(level) else level for level in self.levels)

    def values(self, topic: str) -> dict[str, str] | None:
        """The folders that a topic gives; None if the topic does not match."""
        levels, found = topic.split("/"), dict(self.given)
        for at, wanted in enumerate(self.levels):
            if wanted == "#":
                return found
            if at >= len(levels):
                return None
            if named := _NAMED.fullmatch(wanted):
                found[named[1]] = levels[at]
            elif wanted not in ("+", levels[at]):
                return None
        return found if len(levels) == len(self.levels) else None


def read_patterns(text: str) -> list[Pattern]:
    """The patterns of a setting's value, separated by semicolons.

    Raises:
        BadPattern: one of them cannot be used.
    """
    found = [_pattern(words) for one in text.split(";") if (words := one.split())]
    if not found:
        raise BadPattern("it has no topic")
    return found


def route(topic: str | None, patterns: list[Pattern], default: Stream) -> Stream | None:
    """Where a topic's messages belong: by the first pattern that matches. `default` gives what a pattern leaves open.

    None if no pattern matches, or if a level that names a folder is no identifier. `topic` is None if it is no UTF-8.
    """
    for pattern in patterns:
        values = None if topic is None else pattern.values(topic)
        if values is not None:
            folders = {name: _folder(name, value) for name, value in values.items()}
            if None in folders.values():
                return None
            site_id, camera_id = folders.get("site_id"), folders.get("camera_id")
            return Stream(site_id or default.site_id, camera_id or default.camera_id, folders.get("source") or "")
    return None


def _pattern(words: list[str]) -> Pattern:
    levels, given = tuple(words[0].split("/")), {}
    named = [match[1] for level in levels if (match := _NAMED.fullmatch(level))]
    for at, level in enumerate(levels):
        if any(sign in level for sign in "+#") and len(level) > 1:
            raise BadPattern(f"the level {level!r} of {words[0]!r} is neither a name nor a wildcard alone")
        if level == "#" and at < len(levels) - 1:
            raise BadPattern(f"# is not the last level of {words[0]!r}")
        if any(sign in level for sign in "{}") and not _NAMED.fullmatch(level):
            raise BadPattern(f"the level {level!r} of {words[0]!r} is not a name in braces alone")
    if words[0].startswith("$"):
        raise BadPattern(f"{words[0]!r} begins with $, as the broker's own topics do")
    if len(words[0].encode()) > MAX_TOPIC_BYTES:
        raise BadPattern(f"the topic {words[0][:40]!r} has more than {MAX_TOPIC_BYTES} bytes")
    for word in words[1:]:
        name, is_given, value = word.partition("=")
        if name not in FOLDERS or not is_given:
            raise BadPattern(f"{word!r} after {words[0]!r} is none of site_id=, camera_id= and source=")
        folder = _folder(name, value)
        if folder is None:
            raise BadPattern(f"{word!r} after {words[0]!r} has no identifier as its value")
        named.append(name)
        given[name] = value
    for name in named:
        if name not in FOLDERS:
            raise BadPattern(f"{{{name}}} in {words[0]!r} is none of {{site_id}}, {{camera_id}} and {{source}}")
        if named.count(name) > 1:
            raise BadPattern(f"{words[0]!r} gives {name} twice")
    return Pattern(levels, given)


def _folder(name: str, value: str) -> str | None:
    """A value as the name of a folder, percent-encoded as landing decodes it; None if it cannot be one."""
    if name == "source":
        return value if _SOURCE.fullmatch(value) else None
    known = identifier_or_none(value)
    if known is None or known == _NO_VALUE:
        return None
    folder = _NOT_IN_A_FOLDER.sub(lambda sign: f"%{ord(sign[0]):02X}", known)
    return None if why_not_an_identifier(folder) else folder
