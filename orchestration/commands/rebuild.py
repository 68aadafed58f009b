"""`floorhouse rebuild`: rebuilds a lost or damaged warehouse from the archive, then runs a batch."""

from __future__ import annotations

from datetime import UTC, datetime

from ingestion.landing.rebuild import rebuild_warehouse
from ingestion.settings import read_settings
from ingestion.warehouse import warehouse_lock


def rebuild_and_run() -> int:
    """Rebuild the warehouse, print what was restored, run a batch, and return the batch's exit status.

    Raises:
        FloorhouseError: the rebuild stopped, and the old file stays.
    """
    settings = read_settings()
    with warehouse_lock(settings):
        report = rebuild_warehouse(settings, datetime.now(UTC), _say)
    _say(
        f"the new warehouse holds {report.objects:,} objects, {report.accepted:,} events, {report.rejected:,} rejected"
    )
    if report.set_aside:
        _say(f"the old file is now {report.set_aside}")
    from orchestration.commands.run import run_batch  # imported here: a batch takes seconds to import

    return run_batch(with_site=True)


def _say(line: str) -> None:
    print(f"rebuild   {line}", flush=True)
