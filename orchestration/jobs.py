"""Jobs beside the batch. What they do is decided in the packages they call."""

from dataclasses import asdict
from datetime import UTC, datetime

import dagster as dg

from ingestion.replay import replay_rejected
from orchestration.privacy import retain
from orchestration.resources import WAREHOUSE_POOL, Warehouse


@dg.op(pool=WAREHOUSE_POOL)
def replay(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Try every rejected record again; the next batch computes what follows from those that are accepted now."""
    report = replay_rejected(warehouse.settings)
    context.log.info(f"{report.tried:,} rejected records tried again, {report.accepted:,} of them accepted now")
    context.add_output_metadata({"tried": report.tried, "accepted": report.accepted})


@dg.op(pool=WAREHOUSE_POOL)
def retain_op(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Delete what the settings no longer keep."""
    report = retain(warehouse.settings, datetime.now(UTC), context.log.info)
    context.log.info(report.sentence())
    context.add_output_metadata(asdict(report))


@dg.job(description="Delete raw events, rows about single persons and archived objects older than the settings allow.")
def retention() -> None:
    """The one step."""
    retain_op()


@dg.job(description="Try the rejected records again, for instance after an upgrade that reads more than before.")
def replay_rejects() -> None:
    """The one step."""
    replay()
