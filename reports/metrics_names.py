"""File names of the metrics API: the only place that maps an address to a file name and back.

Every site id is mapped to a plain folder name that is safe for all file systems and servers. `metrics_api.py` writes
the files.
"""

import hashlib
import re
from urllib.parse import quote, unquote

API = "api/metrics"
KINDS = ("workers", "workstations", "factory")
# The sums over lines and weeks that a plant publishes which publishes nothing about single persons; without dates.
COARSER = "coarser"

_LONGEST_NAME = 200  # file systems end at 255 bytes
_DATED = re.compile(rf"{API}/({'|'.join(KINDS)})/([^/]+)/([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})")


def folder_name(site_id: str) -> str:
    """The site's folder: its id, percent-encoded except letters, digits, `-`, `_` and dots that are not first.

    An id too long for a file name ends in `~` and a hash; no id itself has an unencoded `~`.
    """
    encoded = quote(site_id, safe="", errors="backslashreplace").replace("~", "%7E")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) > _LONGEST_NAME:
        encoded = f"{encoded[:_LONGEST_NAME]}~{hashlib.sha256(encoded.encode()).hexdigest()[:16]}"
    return encoded


def file_of_address(path: str) -> str | None:
    """The file behind a path of the API as it was sent, `api/metrics/workers/<site>/<date>`; None for other paths.

    The site is percent-encoded once, as in any address. Paths that end in `.json` name files themselves.
    """
    path = path.strip("/")
    if path in {f"{API}/{kind}" for kind in (*KINDS, COARSER)}:
        return f"{path}.json"
    if path == API:
        return f"{API}/index.json"
    dated = _DATED.fullmatch(path)
    if dated is None:
        return None
    kind, site, day = dated.groups()
    return f"{API}/{kind}/{folder_name(unquote(site))}/{day}.json"
