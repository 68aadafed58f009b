"""Jobs beside the batch. The packages that they call decide what they do."""

from dataclasses import asdict

import dagster as dg

from ingestion.errors import WarehouseError
from ingestion.landing.replay import replay_rejected
from ingestion.settings import Settings
from orchestration.commands.verify import table_lines, verify
from orchestration.deletions import retain
from orchestration.resources import WAREHOUSE_POOL, Clock, Warehouse


@dg.op(pool=WAREHOUSE_POOL)
def replay(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Judge every rejected record again. The next batch computes what follows from those that are accepted now."""
    report = replay_rejected(warehouse.settings)
    context.log.info(f"{report.tried:,} rejected records tried again, {report.accepted:,} of them accepted now")
    context.add_output_metadata({"tried": report.tried, "accepted": report.accepted})


@dg.op(pool=WAREHOUSE_POOL)
def retain_op(
    context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
) -> None:
    """Delete what the settings no longer keep."""
    report = retain(warehouse.settings, clock.now(), context.log.info, clock.is_right)
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


@dg.op
def verify_marts(context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings]) -> None:
    """Compare the marts with a rebuild, outside the warehouse's pool: batches go on while a copy is rebuilt."""
    comparisons = verify(settings, log=context.log.info)
    context.log.info("\n".join(table_lines(comparisons)))
    different = [one.mart for one in comparisons if not one.is_equal]
    if different:
        raise WarehouseError(f"Not what a full rebuild gives: {', '.join(different)}.")


@dg.job(
    name="verify",
    description="Compare every mart, row for row, with a full rebuild of a copy of the warehouse.",
    tags={"floorhouse/kind": "comparison"},
)
def verify_job() -> None:
    """The one step."""
    verify_marts()
