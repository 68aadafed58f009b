"""Checks requests against the host names of a server, by their headers. Pure.

Loopback keeps other machines out, but not pages in this machine's browser. A page can send a request to any address,
and its own host name can be made to point to this machine (DNS rebinding). Both are visible in headers that a page
cannot change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_INTERFACE = frozenset({"0.0.0.0", "::", ""})
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_READ = {b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"}


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a request is refused: the HTTP status, a code for programs, and a sentence for people."""

    status: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """Host names of a server, and other hosts whose pages may send requests. A name without a port means every port."""

    names: frozenset[str] = LOOPBACK
    origins: frozenset[str] = frozenset()

    def know(self, host: str) -> bool:
        """Whether a `Host` header, in lower case, names this server."""
        parts = _HOST.fullmatch(host)
        return parts is not None and (parts["name"] in self.names or host in self.names)


def read_hosts(text: str) -> frozenset[str]:
    """Read comma-separated names and addresses, each with or without a port.

    Raises:
        ValueError: a part is neither a name nor an address.
    """
    hosts = frozenset(host for part in text.split(",") if (host := part.strip().lower()))
    if wrong := next((host for host in sorted(hosts) if _HOST.fullmatch(host) is None), None):
        raise ValueError(f"{wrong!r} is no name or address of a host")
    return hosts


def known_hosts(interface: str, allowed: str, address: str = "") -> KnownHosts:
    """The names of a server: loopback, the interface on which it listens, the setting `allowed`, and its own `address`.

    A proxy may pass a `Host` that differs from the one that readers see. So pages of the setting's hosts count as the
    server's own pages. Pages of loopback do not, because any program on the machine can serve pages there.

    Raises:
        ValueError: a part of `allowed` is neither a name nor an address.
    """
    bound = f"[{interface}]" if ":" in interface else interface.lower()
    shown = urlsplit(address).netloc.rpartition("@")[2].lower()
    given = read_hosts(allowed) | ({shown} if shown else set())
    names = LOOPBACK | given | {parts["name"] for parts in map(_HOST.fullmatch, {shown}) if parts}
    is_loopback = {host for host in given for parts in [_HOST.fullmatch(host)] if parts and parts["name"] in LOOPBACK}
    return KnownHosts(names if interface in ANY_INTERFACE else names | {bound}, given - is_loopback)


def objection(headers: Iterable[tuple[bytes, bytes]], method: str, known: KnownHosts) -> Objection | None:
    """Why a server with these hosts refuses a request with these headers (names in lower case); None if it does not."""
    given: dict[bytes, list[str]] = {name: [] for name in _READ}
    for name, value in headers:
        if name in _READ:
            given[name].append(value.decode("latin-1").strip().lower())
    hosts = given[b"host"]
    if not hosts or not all(map(known.know, hosts)):
        said = f'"{hosts[0][:100]}"' if hosts else "A request without a host"
        return Objection(421, "unknown_host", f"{said} is none of the hosts that FLOORHOUSE_ALLOWED_HOSTS names.")
    own = {*hosts, *known.origins}
    if not all(urlsplit(origin).netloc in own for origin in given[b"origin"]):
        return Objection(403, "other_origin", "Pages of other servers may not ask this one.")
    if {"cross-site", "same-site"}.intersection(given[b"sec-fetch-site"]) and not _opens_a_page(given, method):
        return Objection(403, "other_origin", "Pages of other servers may not load anything from this one.")
    return None


def _opens_a_page(given: dict[bytes, list[str]], method: str) -> bool:
    """Whether the request is a top-level navigation by a link. The other page cannot read its answer."""
    return method in ("GET", "HEAD") and (given[b"sec-fetch-mode"], given[b"sec-fetch-dest"]) == (
        ["navigate"],
        ["document"],
    )
