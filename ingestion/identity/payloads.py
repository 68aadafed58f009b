"""What is kept of a rejected record where worker ids are pseudonyms: enough to try it again, and nobody's name.

Of a record that is a JSON object stay the contract's fields, as they were written, with a token for the worker; fields
nobody knows may hold names and go. Text that is no JSON object may hold anything and goes too: it stays in the bucket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]

from ingestion.contract.events import DEFAULT_SITE, FIELDS, MAX_IDENTIFIER_LENGTH, Folder, visible
from ingestion.identity.pseudonyms import pseudonym
from ingestion.records.framing import NotJson, parse_json

# A worker id that was no valid one must stay invalid, or a replay would accept what the contract refuses.
NO_VALID_ID = '{"redacted": true}'
_NOT_SHOWN = "not shown"
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def redact(payload: str | None, detail: str, folder: Folder, key: bytes) -> tuple[str | None, str]:
    """A rejected record's text and sentence without the worker. The text is empty where it is not one JSON object."""
    if payload is None:
        return None, detail
    try:
        record = parse_json(payload.encode("utf-8", "surrogatepass"))
    except NotJson:
        return "", detail  # of malformed JSON the sentence names places, never values
    if not isinstance(record, dict):
        return "", f"The record is not a JSON object; its text is {_NOT_SHOWN}."
    site_id = _identifier(folder.site_id or DEFAULT_SITE if record.get("site_id") is None else record["site_id"])
    kept = []
    for name, value in _members(payload.strip(" \t\r\n")):
        if name == "worker_id":
            kept.append((name, _token(value, site_id, key)))
        elif name in FIELDS:
            kept.append((name, {"{": "{}", "[": "[]"}.get(value[:1], value)))
    if detail.startswith("worker_id is "):
        expected = detail.rpartition("; expected is ")[2]
        detail = f"worker_id is {_NOT_SHOWN} here; expected is {expected}"
    return "{" + ", ".join(f'"{name}": {value}' for name, value in kept) + "}", detail


def _token(text: str, site_id: str | None, key: bytes) -> str:
    value = json.loads(text)
    worker_id = _identifier(value)
    if value is None:
        return "null"
    if worker_id is None or site_id is None:
        return NO_VALID_ID
    return json.dumps(pseudonym(key, site_id, worker_id))


def _identifier(value: object) -> str | None:
    """The id as the contract reads it; None where it refuses it."""
    trimmed = value.strip(" ") if type(value) is str else ""  # a number's token is a subclass of str
    return trimmed if 1 <= len(trimmed) <= MAX_IDENTIFIER_LENGTH and visible(trimmed) == trimmed else None


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Names and values of a JSON object as they were written, repeated names included."""
    place = _SPACE.match(text, 1).end()  # type: ignore[union-attr]
    while text[place] != "}":
        name, place = scanstring(text, place + 1, False)
        start = _SPACE.match(text, _SPACE.match(text, place).end() + 1).end()  # type: ignore[union-attr]
        _, end = _decode(text, start)
        yield name, text[start:end]
        place = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        if text[place] == ",":
            place = _SPACE.match(text, place + 1).end()  # type: ignore[union-attr]
