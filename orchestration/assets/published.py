"""The published marts: Parquet files that replace the previous ones all at once."""

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.finishing import finish_batch
from orchestration.publish import publish_build
from orchestration.resources import WAREHOUSE_POOL, Clock, Warehouse
from publishing.versions import size_of


def build_published_asset(marts: Sequence[str]) -> dg.AssetsDefinition:
    """One asset per mart, `published/<mart>`, all written by one step."""

    @dg.multi_asset(
        name="publish",
        specs=[
            dg.AssetSpec(
                ["published", mart],
                deps=[["marts", mart]],
                description=f"{mart}.parquet, as readers see it.",
                kinds={"parquet"},
            )
            for mart in marts
        ],
        group_name="published",
        pool=WAREHOUSE_POOL,
        can_subset=False,
    )
    def publish(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Copy every mart out of the warehouse and publish the new version."""
        report = publish_build(warehouse.settings)
        context.log.info(
            f"{len(report.rows)} marts, {sum(report.rows.values()):,} rows, {report.bytes / 1e6:.1f} MB "
            f"in {report.seconds:.1f} s"
        )
        finish_batch(warehouse.settings, clock.now(), context.log.warning)
        for mart in marts:
            path = warehouse.settings.published_path / f"{mart}.parquet"
            yield dg.MaterializeResult(
                asset_key=["published", mart],
                metadata={
                    "dagster/row_count": report.rows[mart],
                    "bytes": size_of(path),
                    "version": report.version,
                    "seconds": round(report.seconds, 3),
                },
            )

    return publish
