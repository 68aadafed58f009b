"""`make rebuild`: make a lost or damaged warehouse anew from the archive, then run a batch.

Exit status 0: done; 2: a bad setting; 1: it stopped with a sentence, and the old file stays.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from ingestion.errors import FloorhouseError, SettingsError
from ingestion.landing.rebuild import rebuild_warehouse
from ingestion.settings import read_settings
from ingestion.warehouse import warehouse_lock


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild the warehouse, say what came back, and hand over to a batch."""
    argparse.ArgumentParser(prog="rebuild", description="Make the warehouse anew from the archive.").parse_args(
        arguments
    )
    try:
        settings = read_settings()
        with warehouse_lock(settings):
            report = rebuild_warehouse(settings, datetime.now(UTC), _say)
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    _say(
        f"the new warehouse holds {report.objects:,} objects, {report.accepted:,} events, {report.rejected:,} rejected"
    )
    if report.set_aside:
        _say(f"the old file is now {report.set_aside}")
    from orchestration.commands import run  # imported here: a batch takes seconds to import

    return run.main([])


def _say(line: str) -> None:
    print(f"rebuild   {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
