"""The step between models and publishing, so that a version is published with its own checks. Contains no rule."""

from collections import Counter
from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.resources import WAREHOUSE_POOL, Clock, Warehouse
from quality.mart_columns import DESCRIPTIONS


def build_checked_asset(marts: Sequence[str]) -> dg.AssetsDefinition:
    """The asset of the marts that judging makes, which depends on all marts that the models make."""

    @dg.multi_asset(
        name="judge",
        specs=[
            dg.AssetSpec(
                ["marts", name],
                deps=[["marts", mart] for mart in marts],
                description=description,
                kinds={"duckdb"},
                group_name="marts",
            )
            for name, description in DESCRIPTIONS.items()
        ],
        pool=WAREHOUSE_POOL,
        can_subset=False,
    )
    def judge_marts(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Judge the new marts. Data that cannot be judged is logged and holds nothing back."""
        # Imported here: numpy, scipy and Great Expectations take seconds, and only this step needs them.
        from ingestion.warehouse import open_warehouse
        from quality.judge import judge
        from quality.report import write_report

        with open_warehouse(warehouse.settings) as connection:
            verdict = judge(connection, warehouse.settings, clock.now())
        for error in verdict.errors:
            context.log.warning(error)
        write_report(warehouse.settings.quality_path, verdict, warehouse.settings.confidence_floor)
        for incident in verdict.opened:
            context.log.warning(incident.sentence)
        still_open = [incident for incident in verdict.incidents if incident.closed_at is None]
        counted = Counter(result.status for result in verdict.results)
        context.log.info(
            f"{len(verdict.results):,} results ({counted['warn'] + counted['fail']:,} of them evidence), "
            f"{len(still_open)} incident{'s' * (len(still_open) != 1)} open, in {verdict.seconds:.1f} s "
            f"({verdict.import_seconds:.1f} s of it the import of Great Expectations)"
        )
        metadata = {"seconds": round(verdict.seconds, 3), "import_seconds": round(verdict.import_seconds, 3)}
        rows = {"check_results": len(verdict.results), "incidents": len(verdict.incidents)}
        for name, count in rows.items():
            yield dg.MaterializeResult(asset_key=["marts", name], metadata={"dagster/row_count": count, **metadata})

    return judge_marts
