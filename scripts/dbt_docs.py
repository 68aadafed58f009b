"""`make docs`: writes dbt's documentation of every model, with columns and sizes if there is a warehouse."""

from __future__ import annotations

import sys

from ingestion.errors import FloorhouseError
from ingestion.settings import read_settings
from ingestion.warehouse import warehouse_lock
from orchestration.dbt.project import run_dbt


def main() -> int:
    """Write the page. Returns exit status 0 after printing its path, or 1 after one sentence."""
    try:
        settings = read_settings()
        with warehouse_lock(settings):  # dbt opens the warehouse, and no batch may run meanwhile
            result = run_dbt(settings, ["docs", "generate", "--static"])
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 1
    if not result.success:
        print(f"dbt could not write its documentation: {result.exception}", file=sys.stderr)
        return 1
    print(f"The models are described in {settings.data_dir / 'dbt' / 'static_index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
