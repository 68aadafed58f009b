"""`make erase-worker SITE=… WORKER=… [CONFIRM=yes]`: remove one person from everything, and prove it by searching.

Without `--yes` it only says where the person is found. Exit status 0: nothing of them is left; 3: something is left,
or something could not be read; 2: a bad setting or argument; 1: it stopped, and the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ingestion.errors import FloorhouseError, SettingsError
from ingestion.settings import read_settings
from ingestion.warehouse import warehouse_lock
from privacy.search import SearchReport

SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Search or erase one worker and say what was found."""
    parser = argparse.ArgumentParser(prog="erase", description="Remove one worker's data.")
    parser.add_argument("--site", required=True, help="the site's id")
    parser.add_argument("--worker", required=True, help="the worker's own id, as the cameras send it")
    parser.add_argument("--yes", action="store_true", help="erase; without it only search")
    options = parser.parse_args(arguments)
    site, worker = options.site.strip(" "), options.worker.strip(" ")
    try:
        settings = read_settings()
        if not site or not worker:
            raise SettingsError("SITE and WORKER must not be empty; allowed is one worker of one site.")
        if not settings.warehouse_path.exists():
            raise SettingsError(f"There is no warehouse {settings.warehouse_path}; run a batch first.")
        # Imported here: a bad setting is answered at once, and dbt takes seconds to import.
        from orchestration.deletions import erase_worker, search_worker

        with warehouse_lock(settings):
            if not options.yes:
                print(f"Searching for worker {worker} of site {site}; nothing is changed without CONFIRM=yes.")
                _tell(search_worker(settings, site, worker))
                return 0
            erased = erase_worker(settings, site, worker, log=print)
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
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
    return 3 if erased.proof.found or erased.proof.unread or erased.deleted.bucket.unread else 0


def _tell(report: SearchReport) -> None:
    counted = ", ".join(f"{count:,} {what}" for what, count in sorted(report.searched.items()))
    print(f"  searched   {counted}; {report.bytes / 1e6:,.1f} MB")
    print(f"  found      {sum(report.found.values()):,}")
    _list("", [f"{place}: {count:,}" for place, count in sorted(report.found.items())])
    if report.unread:
        print(f"  unread     {len(report.unread):,}")
        _list("", sorted(report.unread))


def _list(label: str, lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        print(f"  {label:<10} {line}")
    if len(lines) > SHOWN:
        print(f"  {label:<10} … and {len(lines) - SHOWN:,} more")


if __name__ == "__main__":
    sys.exit(main())
