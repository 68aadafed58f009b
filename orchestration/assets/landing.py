"""The raw tables, filled from the bucket in one step. `ingestion` decides what a record may be."""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from ingestion.bucket import open_landing_bucket
from ingestion.landing.batch import LandingReport, land
from ingestion.landing.clock import require_true_clock
from ingestion.landing.continuity import require_whole_warehouse
from ingestion.settings import Settings
from orchestration.dbt.build_state import is_published
from orchestration.deletions import finish_deletions
from orchestration.finishing import finish_batch
from orchestration.publish import follow_a_moved_folder
from orchestration.resources import WAREHOUSE_POOL, Clock, Warehouse

_DESCRIPTIONS = {
    "events": "One row per accepted event record, duplicates included.",
    "labels": "One row per accepted label record; those whose event has not arrived yet are among them.",
    "rejected_records": "One row per record that the contract does not accept, with its reason.",
    "landed_objects": "One row per object key and content that was landed.",
    "unexpected_fields": "One row per landed object, field that the contract does not know, and camera.",
    "unread_objects": "One row per object or folder of the bucket that the last batch did not read, with its reason.",
    "sites": "The sites.csv in force.",
    "shifts": "The shifts.csv in force.",
    "workers": "The workers.csv in force.",
    "workstations": "The workstations.csv in force.",
    "targets": "The targets.csv in force.",
    "cameras": "The cameras.csv in force.",
    "closures": "The closures.csv in force.",
    "accepted": "The accepted.csv in force.",
    "baselines": "The baselines.csv in force.",
    "contacts": "The contacts.csv in force.",
    "registry_files": "The registry files with a version in force.",
    "booked": "The booked.csv in force.",
    "released": "The released.csv in force.",
    "mappings": "The mappings in force, with their texts.",
    "stopped_sources": "One row per source whose objects waited in the last batch, with the reason.",
    "registry_versions": "Every version of a registry file that ever was in force.",
    "settings": "One row, the settings that change what the numbers mean.",
    "changed_minutes": "Sites and UTC minutes whose events came or went since the last finished build.",
    "changed_objects": "Objects landed before whose counts or rejected records changed since then.",
}


def build_landing_asset(with_site: bool) -> dg.AssetsDefinition:
    """All raw tables as one step. `with_site`: the report must be up to date too."""

    @dg.multi_asset(
        name="landing",
        specs=[
            dg.AssetSpec(["raw", table], description=description, kinds={"duckdb"}, skippable=True)
            for table, description in _DESCRIPTIONS.items()
        ],
        group_name="landing",
        pool=WAREHOUSE_POOL,
        can_subset=False,
    )
    def landing(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Land every new object of the bucket exactly once, and the registries as they are now."""
        now, bucket = clock.now(), open_landing_bucket(warehouse.settings)
        require_whole_warehouse(warehouse.settings, bucket)
        if not clock.is_right:
            require_true_clock(warehouse.settings, bucket, now)
        finish_deletions(warehouse.settings, context.log.info)
        report = land(warehouse.settings, now, log=context.log.info)
        context.log.info(
            f"{report.objects:,} objects landed, {report.accepted:,} events, {report.labels:,} labels, "
            f"{report.rejected:,} rejected in {report.seconds:.1f} s"
        )
        if _is_up_to_date(warehouse.settings, with_site, now):
            # Nothing is materialized, so Dagster skips all steps that depend on it.
            follow_a_moved_folder(warehouse.settings)
            finish_batch(warehouse.settings, now, context.log.warning)
            context.log.info("nothing has changed since the last batch; its marts and its report stand")
            return
        rows = warehouse.row_counts()
        for table in _DESCRIPTIONS:
            metadata = {"dagster/row_count": rows[f"raw.{table}"], **_landed(table, report)}
            yield dg.MaterializeResult(asset_key=["raw", table], metadata=metadata)

    return landing


def _is_up_to_date(settings: Settings, with_site: bool, now: datetime) -> bool:
    # Imported here: the sensor's process does not need it.
    from ingestion.warehouse import open_warehouse
    from quality.checks import freshness
    from quality.incidents import registries
    from quality.report import is_judged_by
    from reports.site import is_site_current

    is_current = is_published(settings) and is_judged_by(settings.quality_path, settings.confidence_floor)
    if not is_current or (with_site and not is_site_current(settings)):
        return False
    # A silent site sends nothing that could start a judgement, so the clock does. A refused registry file changes no
    # number, but somebody must hear of it.
    with open_warehouse(settings) as connection:
        return not freshness.has_changed(connection, now) and not registries.has_changed(connection)


def _landed(table: str, report: LandingReport) -> dict[str, int | float | str]:
    """The counts of what this batch added to a table, for the tables that batches add to."""
    added: dict[str, dict[str, int | float | str]] = {
        "events": {"landed_rows": report.accepted, "rejected_rows": report.rejected},
        "labels": {"landed_rows": report.labels, "waiting_for_their_event": report.labels_without_event},
        "rejected_records": {"landed_rows": report.rejected},
        "landed_objects": {
            "landed_rows": report.objects,
            "landed_bytes": report.bytes,
            "records": report.records,
            "already_landed": report.already_landed,
            "archived": report.archived,
            "not_archived": report.not_archived,
            "unreadable": report.unreadable,
            "unread": report.unread,
            "growing": report.growing,
            "archive_seconds": round(report.archive_seconds, 3),
            "archive_wait_seconds": round(report.archive_wait_seconds, 3),
            **({"archive_failure": report.archive_failure} if report.archive_failure else {}),
        },
    }
    return {**added[table], "seconds": round(report.seconds, 3)} if table in added else {}
