"""What Dagster starts at fixed times, in UTC: an hourly batch in case the sensor fails, and nightly and weekly jobs."""

from __future__ import annotations

import dagster as dg


def build_schedules(batch: str, retention: str, verify: str) -> list[dg.ScheduleDefinition]:
    """The schedules of the jobs of these names.

    A comparison with a rebuild is expensive, so its schedule is off at first.
    """
    return [
        _schedule("batch_hourly", batch, "0 * * * *", "Lands what the sensor could not see or a batch left."),
        _schedule("retention_daily", retention, "30 2 * * *", "Without any retention setting it deletes nothing."),
        _schedule(
            "verify_weekly",
            verify,
            "30 3 * * 0",
            "Finds marts that are not what a full rebuild gives. It needs room for a second warehouse.",
            is_running=False,
        ),
    ]


def _schedule(name: str, job_name: str, cron: str, description: str, is_running: bool = True) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=name,
        job_name=job_name,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description=description,
    )
