"""The served report: its shell, built if its pages have changed, and its data, written after every batch."""

from collections.abc import Sequence

import dagster as dg

from orchestration.resources import WAREHOUSE_POOL, Warehouse


def build_site_asset(marts: Sequence[str]) -> dg.AssetsDefinition:
    """The asset `site`, made of all published marts."""

    @dg.asset(
        name="site",
        deps=[["published", mart] for mart in marts],
        group_name="report",
        kinds={"evidence"},
        pool=WAREHOUSE_POOL,
    )
    def site(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
        """The static site, up to date with the published marts."""
        from reports.shell import build_shell
        from reports.site import own_folder, publish_site

        build_shell(context.log.info, own=own_folder(warehouse.settings))
        report = publish_site(warehouse.settings)
        context.log.info(f"{report.files} files, {report.bytes_written / 1e6:.1f} MB written in {report.seconds:.1f} s")
        return dg.MaterializeResult(
            metadata={
                "files": report.files,
                "bytes": report.bytes_written,
                "seconds": round(report.seconds, 3),
                "shell_changed": report.shell_changed,
                "path": dg.MetadataValue.path(warehouse.settings.site_path),
            }
        )

    return site
