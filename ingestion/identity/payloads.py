"""What is kept of a rejected record where people have pseudonyms or are not to be known: enough to try it again.

Of a record that is a JSON object stay the contract's fields, as they were written, with a token for the worker, or
without the worker; fields nobody knows may hold names and go. Text that is no JSON object may hold anything and goes
too: it stays in the bucket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]

from ingestion.contract.events import FIELDS, Folder, site_of
from ingestion.contract.identifiers import identifier_or_none
from ingestion.identity.pseudonyms import pseudonym
from ingestion.records.framing import NotJson, parse_json

# A worker id that was no valid one must stay invalid, or a replay would accept what the contract refuses.
NO_VALID_ID = '{"redacted": true}'
_NOT_SHOWN = "not shown"
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def redact(
    payload: str | None, detail: str, folder: Folder, key: bytes | None, nameless_sites: frozenset[str] = frozenset()
) -> tuple[str | None, str]:
    """A rejected record's text and sentence without the worker. The text is empty where it is not one JSON object.

    With a key that holds for all records, without one for those of `nameless_sites` or of sites that nobody can tell.
    """
    if payload is None:
        return None, detail
    try:
        record = parse_json(payload.encode("utf-8", "surrogatepass"))
    except NotJson:
        record = None
    fields = record if isinstance(record, dict) else {}
    site_id = site_of(fields, folder)
    # Without a folder a record that nobody can read may be of any site.
    is_site_known = site_id is not None and (isinstance(record, dict) or folder.site_id is not None)
    is_nameless = bool(nameless_sites) and (site_id in nameless_sites or not is_site_known)
    if key is None and not is_nameless:
        return payload, detail
    if not isinstance(record, dict):
        # Of malformed JSON the sentence names places, never values.
        return "", detail if record is None else f"The record is not a JSON object; its text is {_NOT_SHOWN}."
    kept = []
    for name, value in _members(payload.strip(" \t\r\n")):
        if name == "worker_id":
            if key is not None and not is_nameless:
                kept.append((name, _token(value, site_id, key)))
        elif name in FIELDS:
            kept.append((name, {"{": "{}", "[": "[]"}.get(value[:1], value)))
    if detail.startswith("worker_id is "):
        expected = detail.rpartition("; expected ")[2]
        detail = f"worker_id is {_NOT_SHOWN} here; expected {expected}"
    return "{" + ", ".join(f'"{name}": {value}' for name, value in kept) + "}", detail


def _token(text: str, site_id: str | None, key: bytes) -> str:
    value = json.loads(text)
    worker_id = identifier_or_none(value) if type(value) is str else None  # a number's token is a subclass of str
    if value is None:
        return "null"
    if worker_id is None or site_id is None:
        return NO_VALID_ID
    return json.dumps(pseudonym(key, site_id, worker_id))


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
