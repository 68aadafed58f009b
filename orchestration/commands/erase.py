"""`floorhouse erase`: removes one person from all data, and searches afterwards to prove it.

Without a confirmation it only prints where the person is found.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.contract.identifiers import identifier_or_none
from ingestion.errors import SettingsError
from ingestion.settings import read_settings
from ingestion.warehouse import warehouse_lock
from privacy.search import SearchReport

SHOWN = 20


def erase_or_search(site: str, worker: str, is_confirmed: bool, also: Sequence[str] = ()) -> int:
    """Search or erase one worker and print what was found.

    Exit status 0: nothing of the worker is left. 3: something is left or mentions the worker, or something could not be
    read. A search that erases nothing ends with 0.

    Raises:
        FloorhouseError: a setting or an argument is wrong, or the erasure stopped and the same command continues it.
    """
    site, worker = (identifier_or_none(text) or text.strip() for text in (site, worker))
    settings = read_settings()
    if not site or not worker:
        raise SettingsError("SITE and WORKER must not be empty; allowed: one worker of one site.")
    if not settings.warehouse_path.exists():
        raise SettingsError(f"There is no warehouse {settings.warehouse_path}; run a batch first.")
    # Imported here: a bad setting is reported at once, and dbt takes seconds to import.
    from orchestration.deletions import erase_worker, search_worker

    with warehouse_lock(settings):
        if not is_confirmed:
            print(f"Searching for worker {worker} of site {site}; nothing is changed without CONFIRM=yes.")
            _tell(search_worker(settings, site, worker))
            return 0
        erased = erase_worker(settings, site, worker, log=print, also=also)
    for path in erased.deleted.files:
        print(f"{path} rewritten")
    for key in erased.deleted.bucket.unread:
        print(f"not searched, as it cannot be read or is being written: {key}")
    print(f"Erased worker {worker} of site {site}. Then searched everything again:")
    _tell(erased.proof)
    if erased.traces.words:
        print("  as bytes   too, for the id is nobody's and nothing's else")
    else:
        print("  as bytes   not: the id is short, an everyday word or in use elsewhere, so only parsed values count")
    proof = erased.proof
    return 3 if proof.found or proof.mentions or proof.unread or erased.deleted.bucket.unread else 0


def _tell(report: SearchReport) -> None:
    counted = ", ".join(f"{count:,} {what}" for what, count in sorted(report.searched.items()))
    print(f"  searched   {counted}; {report.bytes / 1e6:,.1f} MB")
    print(f"  found      {sum(report.found.values()):,}")
    _list("", [f"{place}: {count:,}" for place, count in sorted(report.found.items())])
    print(f"  mentions   {sum(report.mentions.values()):,}")
    if report.mentions:
        print("             where nothing says whose the id or the name is; --also PLACE (or all) deletes them too:")
        _list("", [f"{place}: {count:,}" for place, count in sorted(report.mentions.items())])
    if report.unread:
        print(f"  unread     {len(report.unread):,}")
        _list("", sorted(report.unread))


def _list(label: str, lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        print(f"  {label:<10} {line}")
    if len(lines) > SHOWN:
        print(f"  {label:<10} … and {len(lines) - SHOWN:,} more")
