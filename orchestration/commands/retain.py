"""`make retention`: delete what the retention settings no longer keep, and every older copy of it.

Exit status 0: done; 2: a bad setting; 1: it stopped with a sentence, and the same command goes on.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from ingestion.errors import FloorhouseError, SettingsError
from ingestion.settings import read_settings
from ingestion.warehouse import warehouse_lock


def main() -> int:
    """Apply the settings once and say what was deleted."""
    try:
        settings = read_settings()
        # Imported here: a bad setting is answered at once, and dbt takes seconds to import.
        from orchestration.deletions import retain

        with warehouse_lock(settings):
            report = retain(settings, datetime.now(UTC), print)
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    print(report.sentence())
    return 0


if __name__ == "__main__":
    sys.exit(main())
