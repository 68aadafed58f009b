"""The address of an event's image or clip, made from a template (`FLOORHOUSE_MEDIA_URL`). Pure: asks no server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

PLACEHOLDERS = ("site_id", "camera_id", "workstation_id", "timestamp", "epoch_seconds", "event_key")
_NAMED = re.compile(r"\{([^{}]*)\}")
# What may stand in a Content-Security-Policy as one source: no user, no wildcard, nothing that ends it.
_ORIGIN = re.compile(r"(?P<origin>https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?)(?=[/?])", re.IGNORECASE)
_BEHIND = re.compile(r"[!-~]*")  # ASCII without spaces, as in an address


def check_template(template: str) -> str:
    """The template, if addresses can be made of it.

    Raises:
        ValueError: it is not http or https, has a user or no path, or a placeholder that is unknown.
    """
    origin = _ORIGIN.match(template)
    if origin is None:
        raise ValueError("not http:// or https:// with a host's name, without a user, and with a path behind it")
    if not _BEHIND.fullmatch(template[origin.end() :]):
        raise ValueError("it has spaces or other characters that no address has")
    unknown = [name for name in _NAMED.findall(template) if name not in PLACEHOLDERS]
    if unknown or re.search(r"[{}]", _NAMED.sub("", template)):
        shown = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"it has braces that are none of {shown}")
    return template


def origin_of(template: str) -> str:
    """Scheme, host and port of a template, in lower case, as a source of a Content-Security-Policy."""
    found = _ORIGIN.match(template)
    return found["origin"].lower() if found else ""


def media_url(template: str, values: Mapping[str, str]) -> str | None:
    """The address, each value percent-encoded; None without a template, or if it names a value that is not there."""
    names = _NAMED.findall(template)
    if not template or any(not values.get(name) for name in names):
        return None
    return _NAMED.sub(lambda found: quote(values[found[1]], safe=""), template)
