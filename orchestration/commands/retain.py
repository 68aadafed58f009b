"""`floorhouse retain`: deletes the data that the retention settings no longer keep, and every older copy of it."""

from __future__ import annotations

from datetime import UTC, datetime

from ingestion.settings import read_settings
from ingestion.warehouse import warehouse_lock


def apply_retention(clock_is_right: bool = False) -> int:
    """Apply the settings once, print what was deleted, and return exit status 0.

    `clock_is_right` means that a person vouches for the machine's clock.

    Raises:
        FloorhouseError: it stopped, and the same command continues it.
    """
    settings = read_settings()
    # Imported here: a bad setting is reported at once, and dbt takes seconds to import.
    from orchestration.deletions import retain

    with warehouse_lock(settings):
        report = retain(settings, datetime.now(UTC), print, clock_is_right)
    print(report.sentence())
    return 0
