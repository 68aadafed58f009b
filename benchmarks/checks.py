"""Measures all checks of a batch over a large plant, and the share of Great Expectations' import."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion.landing.batch import land
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse, warehouse_lock
from orchestration.dbt.runner import build_models
from simulator import Arguments, simulate

Add = Callable[[str, str, str], None]

SITES, CAMERAS, WORKERS, DAYS = 5, 100, 100, 30


def checks(work: Path, add: Add) -> None:
    """Land and build a simulated plant, then judge it twice. The first time includes the imports."""
    settings = Settings(data_dir=work / "checked")
    arguments = Arguments(
        landing=settings.data_dir / "landing",
        truth=work / "checked-truth",
        sites=SITES,
        cameras=CAMERAS,
        workers=WORKERS,
        days=DAYS,
    )
    simulate(arguments)
    now = datetime.fromtimestamp(arguments.ends_ms / 1000, UTC)
    with warehouse_lock(settings):
        land(settings, now)
        build_models(settings)
        started = time.monotonic()
        from quality.judge import judge
        from quality.report import write_report

        with open_warehouse(settings) as connection:
            first = judge(connection, settings, now)
        write_report(settings.quality_path, first, settings.confidence_floor)
        first_seconds = time.monotonic() - started
        started = time.monotonic()
        with open_warehouse(settings) as connection:
            judge(connection, settings, now + timedelta(minutes=1))
        second_seconds = time.monotonic() - started
    if first.errors:
        raise RuntimeError(" ".join(first.errors))
    share = f"{first.import_seconds:.1f} s ({first.import_seconds / first_seconds:.0%})"
    add(
        f"checks: {CAMERAS} cameras, {DAYS} days, {len(first.results):,} results",
        f"{first_seconds:.1f}",
        f"{share} of it Great Expectations' import; {second_seconds:.1f} s once imported",
    )
