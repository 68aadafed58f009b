"""What Dagster starts at fixed times, in UTC: an hourly batch, and nightly and weekly jobs.

The daemon's watcher of the bucket starts a batch each hour too, so the hourly schedule is for a plant without one.
"""

from __future__ import annotations

import dagster as dg

from ingestion.settings import read_settings
from orchestration.live.place import is_watched


def build_schedules(batch: str, retention: str, verify: str) -> list[dg.ScheduleDefinition]:
    """The schedules of the jobs of these names.

    A comparison with a rebuild is expensive, so its schedule is off at first.
    """
    return [
        _schedule(
            "batch_hourly", batch, "0 * * * *", "Lands what the sensor could not see or a batch left.", is_net=True
        ),
        _schedule("retention_daily", retention, "30 2 * * *", "Without any retention setting it deletes nothing."),
        _schedule(
            "verify_weekly",
            verify,
            "30 3 * * 0",
            "Finds marts that are not what a full rebuild gives. It needs room for a second warehouse.",
            is_running=False,
        ),
    ]


def _schedule(
    name: str, job_name: str, cron: str, description: str, is_running: bool = True, is_net: bool = False
) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=name,
        job_name=job_name,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description=description,
        should_execute=(lambda _: not is_watched(read_settings())) if is_net else None,
    )
