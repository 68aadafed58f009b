"""Verdicts on model versions and requests for retraining, computed from the marts. `quality` decides what they are."""

from collections.abc import Iterator

import dagster as dg

from orchestration.resources import WAREHOUSE_POOL, Clock, Warehouse
from quality.retraining.tables import DESCRIPTIONS

_READ = (
    *(["marts", mart] for mart in ("model_days", "model_comparison", "review_queue")),
    *(["handover", table] for table in ("int_recent_accuracy", "int_labelled_events")),
    *(["raw", table] for table in ("events", "baselines")),
)


def build_retraining_asset() -> dg.AssetsDefinition:
    """Both tables as one step between the models and their publication, so that a version contains its requests."""

    @dg.multi_asset(
        name="retraining",
        specs=[
            dg.AssetSpec(
                ["marts", table],
                deps=_READ,
                description=description,
                kinds={"duckdb"},
            )
            for table, description in DESCRIPTIONS.items()
        ],
        group_name="marts",
        pool=WAREHOUSE_POOL,
        can_subset=False,
    )
    def retraining(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Compare the versions, request retraining if it is due, and write sampled events for review."""
        from quality.retraining.step import operate_models

        report = operate_models(warehouse.settings, clock.now(), log=context.log.info)
        context.log.info(
            f"{report.open_requests:,} requests for retraining are open, {report.opened:,} of them new; "
            f"{report.dropped_reviews:,} more events to review"
        )
        yield dg.MaterializeResult(
            asset_key=["marts", "model_verdicts"], metadata={"dagster/row_count": report.verdicts}
        )
        yield dg.MaterializeResult(
            asset_key=["marts", "retraining_requests"],
            metadata={
                "dagster/row_count": report.requests,
                "open": report.open_requests,
                "opened": report.opened,
                "closed": report.closed,
                "dropped_reviews": report.dropped_reviews,
                "tracked_in_mlflow": report.tracked,
            },
        )

    return retraining
