"""The time zone names that a registry may use, and suggestions for other names. Imports no database."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from functools import cache
from importlib.resources import files

UTC = "UTC"
# Abbreviations and old names, each with the zone that people most often mean. Databases disagree about them: BST is
# British summer time for some and Bangladesh for others.
_MEANT = {
    **dict.fromkeys(("BST", "GB", "GB-Eire", "WET", "GMT-0", "GMT+1"), "Europe/London"),
    **dict.fromkeys(("CET", "MET", "CEST", "MEZ", "MESZ", "MEST"), "Europe/Berlin"),
    **dict.fromkeys(("EET", "EEST"), "Europe/Helsinki"),
    **dict.fromkeys(
        ("EST", "EDT", "ET", "EST5EDT", "SystemV/EST5", "SystemV/EST5EDT", "US/Eastern"), "America/New_York"
    ),
    **dict.fromkeys(("CST", "CDT", "CT", "CST6CDT", "SystemV/CST6", "SystemV/CST6CDT"), "America/Chicago"),
    **dict.fromkeys(("MST", "MDT", "MT", "MST7MDT", "SystemV/MST7", "SystemV/MST7MDT"), "America/Denver"),
    **dict.fromkeys(("PST", "PDT", "PT", "PST8PDT", "SystemV/PST8", "SystemV/PST8PDT"), "America/Los_Angeles"),
    **dict.fromkeys(("AST", "ADT", "SystemV/AST4", "SystemV/AST4ADT"), "America/Halifax"),
    **dict.fromkeys(("HST", "SystemV/HST10"), "Pacific/Honolulu"),
    **dict.fromkeys(("UCT", "Zulu", "Z", "GMT", "GMT0", "GMT+0", "Universal", "Greenwich", "utc"), UTC),
    "US/Pacific-New": "America/Los_Angeles",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "PRC": "Asia/Shanghai",
    "ECT": "America/Guayaquil",
    "ACT": "Australia/Darwin",
    "AEST": "Australia/Sydney",
    "AET": "Australia/Sydney",
    "NZ": "Pacific/Auckland",
    "NZST": "Pacific/Auckland",
    "SST": "Pacific/Pago_Pago",
    "BET": "America/Sao_Paulo",
    "BRT": "America/Sao_Paulo",
    "EAT": "Africa/Nairobi",
    "CAT": "Africa/Maputo",
    "Turkey": "Europe/Istanbul",
    "Eire": "Europe/Dublin",
    "Portugal": "Europe/Lisbon",
    "Poland": "Europe/Warsaw",
    "Hongkong": "Asia/Hong_Kong",
    "Singapore": "Asia/Singapore",
    "Japan": "Asia/Tokyo",
    "Israel": "Asia/Jerusalem",
    "Egypt": "Africa/Cairo",
}
_USUAL = "Europe/Berlin"


@cache
def pinned_names() -> frozenset[str]:
    """The names in the pinned IANA data, independent of the machine: `UTC` and names with a `/`."""
    lines = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return frozenset(name for name in lines if "/" in name or name == UTC)


def usable_names(known: Collection[str]) -> frozenset[str]:
    """The names known to the database that registries may use."""
    return pinned_names().intersection(known)


def suggested_timezone(name: str, usable: Collection[str]) -> str:
    """The usable name that was most likely meant."""
    plain = name.strip()
    for prefix in ("posix/", "right/"):
        plain = plain.removeprefix(prefix)
    if plain in usable:
        return plain
    folded = {known.casefold().replace(" ", "_"): known for known in usable}
    wanted = plain.casefold().replace(" ", "_").replace("\\", "/")
    meant = {short.casefold(): long for short, long in _MEANT.items()}.get(plain.casefold())
    if meant is not None and meant in usable:
        return meant
    if wanted in folded:
        return folded[wanted]
    places = {place.rpartition("/")[2]: place for place in sorted(folded, reverse=True)}
    if wanted in places:
        return folded[places[wanted]]
    near = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.85)
    return folded[near[0]] if near else _USUAL
