"""Redacts rejected records if people have pseudonyms or must not be known; enough is kept to judge a record again.

Of a record that is a JSON object, the contract's fields are kept, with a token in place of the worker or without the
worker. A value of the field's kind is kept as written. A value of another kind may contain a name, so an equally
invalid one replaces it. Unknown fields are removed with their names. Text that is not a JSON object is removed too; the
bucket still has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]

from ingestion.contract.events import FIELDS, Folder, site_of
from ingestion.contract.identifiers import identifier_or_none
from ingestion.contract.resembling import is_common_word
from ingestion.identity.pseudonyms import pseudonym
from ingestion.records.framing import NotJson, parse_json

# Replaces an invalid value. It must be invalid too, or a replay would accept what the contract refuses.
NOT_VALID = '{"redacted": true}'
_NOT_SHOWN = "not shown"
# Replaces all names of fields that are not shown.
NAME_NOT_SHOWN = f"({_NOT_SHOWN})"
_NUMBERS = frozenset({"confidence", "count", "count_total", "contract_version"})
# Invalid texts that may be kept: those that begin like an instant, and those that look like the name of a type.
_LIKE_AN_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[0-9TtZz:+., -]{0,40}", re.ASCII)
_LIKE_A_TYPE = re.compile(r"[a-z]+(_[a-z]+)*", re.ASCII)
_TAILS = ("; expected ", "; known: ", "; this release reads ")
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def redact(
    payload: str | None, detail: str, folder: Folder, key: bytes | None, nameless_sites: frozenset[str] = frozenset()
) -> tuple[str | None, str]:
    """A rejected record's text and message without the worker. The text is empty if it is not one JSON object.

    With a key, every record is redacted. Without a key, only those of `nameless_sites` and those whose site is unknown.
    """
    if payload is None:
        return None, detail
    try:
        record = parse_json(payload.encode("utf-8", "surrogatepass"))
    except NotJson:
        record = None
    fields = record if isinstance(record, dict) else {}
    site_id = site_of(fields, folder)
    # Without a folder, a record that cannot be parsed may be of any site.
    is_site_known = site_id is not None and (isinstance(record, dict) or folder.site_id is not None)
    is_nameless = bool(nameless_sites) and (site_id in nameless_sites or not is_site_known)
    if key is None and not is_nameless:
        return payload, detail
    if not isinstance(record, dict):
        # The message about malformed JSON names places, never values.
        return "", detail if record is None else f"The record is not a JSON object; its text is {_NOT_SHOWN}."
    kept: list[tuple[str, str]] = []
    replaced = {"worker_id"}
    for name, value in _members(payload.strip(" \t\r\n")):
        if name == "worker_id":
            if key is not None and not is_nameless:
                kept.append((name, _token(value, site_id, key)))
        elif name in FIELDS:
            shown = _shown(name, value)
            if shown == NOT_VALID:
                replaced |= {name, "count"} if name == "count_total" else {name}
            kept.append((name, shown))
    named, is_about_a_value, _ = detail.partition(" is ")
    if is_about_a_value and named in replaced:
        detail = f"{named} is {_NOT_SHOWN} here{_tail(detail)}"
    return "{" + ", ".join(f'"{name}": {value}' for name, value in kept) + "}", detail


def shown_names(names: Iterable[str]) -> set[str]:
    """The names of unknown fields in storable form: common words stay; one text replaces all that may name a person."""
    return {name if is_common_word(name) else NAME_NOT_SHOWN for name in names}


def _shown(name: str, text: str) -> str:
    """A field's value in the form that may be kept: as written if it is of the field's kind, else equally invalid."""
    if text[:1] in "{[":
        return {"{": "{}", "[": "[]"}[text[0]]
    if text in ("null", "true", "false"):
        return text
    if name in _NUMBERS or not text.startswith('"'):
        is_kept = not text.startswith('"') and (name in _NUMBERS or name == "event_id")
        return text if is_kept else NOT_VALID
    value = json.loads(text)
    if name == "timestamp":
        is_kept = _LIKE_AN_INSTANT.fullmatch(value) is not None
    elif name == "event_type":
        is_kept = _LIKE_A_TYPE.fullmatch(value) is not None
    else:
        is_kept = identifier_or_none(value) is not None
    return text if is_kept else NOT_VALID


def _tail(detail: str) -> str:
    """The part of a message after the value. The value may contain the same words, so the last occurrence counts."""
    places = [(detail.rfind(tail), tail) for tail in _TAILS if tail in detail]
    return detail[max(places)[0] :] if places else "."


def _token(text: str, site_id: str | None, key: bytes) -> str:
    value = json.loads(text)
    worker_id = identifier_or_none(value) if type(value) is str else None  # a number's token is a subclass of str
    if value is None:
        return "null"
    if worker_id is None or site_id is None:
        return NOT_VALID
    return json.dumps(pseudonym(key, site_id, worker_id))


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Names and values of a JSON object as written, repeated names included."""
    place = _SPACE.match(text, 1).end()  # type: ignore[union-attr]
    while text[place] != "}":
        name, place = scanstring(text, place + 1, False)
        start = _SPACE.match(text, _SPACE.match(text, place).end() + 1).end()  # type: ignore[union-attr]
        _, end = _decode(text, start)
        yield name, text[start:end]
        place = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        if text[place] == ",":
            place = _SPACE.match(text, place + 1).end()  # type: ignore[union-attr]
