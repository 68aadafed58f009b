"""Only assembles assets, checks, jobs, sensors, schedules and resources. Decides nothing and runs nothing."""

from __future__ import annotations

from typing import Any

import dagster as dg

from orchestration.assets.checked import build_checked_asset
from orchestration.assets.landing import build_landing_asset
from orchestration.assets.models import build_models_asset, mart_names, read_manifest
from orchestration.assets.published import build_published_asset
from orchestration.assets.retraining import build_retraining_asset
from orchestration.assets.site import build_site_asset
from orchestration.checks.suites import suite_checks
from orchestration.dagster_home.home import BATCH
from orchestration.hooks import note_failed_step
from orchestration.jobs import replay_rejects, retention, verify_job
from orchestration.resources import Clock, settings_resource, warehouse_resource
from orchestration.schedules import build_schedules
from orchestration.sensors.alerts import alerts_sensor
from orchestration.sensors.landing import build_landing_sensor
from orchestration.sensors.retraining import hand_over_request, retraining_sensor
from quality.mart_columns import DESCRIPTIONS
from quality.retraining import tables as model_tables

__all__ = ["BATCH", "build_definitions", "defs"]


def build_definitions(
    *, site: bool = True, loggers: dict[str, dg.LoggerDefinition] | None = None, **resources: Any
) -> dg.Definitions:
    """The plant in Dagster. `resources` replace those of the same name: `settings`, `warehouse`, `clock`."""
    manifest = read_manifest()
    models = mart_names(manifest)
    marts = sorted([*models, *model_tables.TABLES, *DESCRIPTIONS])
    batch = dg.define_asset_job(
        BATCH,
        selection=dg.AssetSelection.all(),
        hooks={note_failed_step},
        description="Land what the bucket holds, build the models, publish the marts, check them, bring out the site.",
    )
    return dg.Definitions(
        assets=[
            build_landing_asset(with_site=site),
            build_models_asset(manifest),
            build_retraining_asset(),
            build_checked_asset(models),
            build_published_asset(marts),
            *([build_site_asset(marts)] if site else []),
        ],
        asset_checks=[suite_checks],
        jobs=[batch, replay_rejects, hand_over_request, retention, verify_job],
        sensors=[build_landing_sensor(BATCH), alerts_sensor, retraining_sensor],
        schedules=build_schedules(BATCH, retention.name, verify_job.name),
        resources={"settings": settings_resource, "warehouse": warehouse_resource, "clock": Clock(), **resources},
        loggers=loggers,
        # One process per run: the process holds the lock, and starting a process costs more than most steps.
        executor=dg.in_process_executor,
    )


defs = build_definitions()
