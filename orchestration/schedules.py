"""The net below the sensor: a batch every hour, whatever the sensor saw."""

from __future__ import annotations

import dagster as dg


def build_hourly_schedule(job_name: str) -> dg.ScheduleDefinition:
    """The schedule that starts the job of this name at the full hour, UTC."""
    return dg.ScheduleDefinition(
        name="batch_hourly",
        job_name=job_name,
        cron_schedule="0 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Lands what a failed batch left, and what the sensor could not see.",
    )


def build_daily_retention(job_name: str) -> dg.ScheduleDefinition:
    """The schedule that starts the retention job of this name each night, beside the full hour's batch."""
    return dg.ScheduleDefinition(
        name="retention_daily",
        job_name=job_name,
        cron_schedule="30 2 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Keeps the plant to its retention settings; without any of them it deletes nothing.",
    )


def build_weekly_verification(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """The schedule that compares the marts with a rebuild; off until somebody wants to pay for a rebuild a week."""
    return dg.ScheduleDefinition(
        name="verify_weekly",
        job=job,
        cron_schedule="30 3 * * 0",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Finds marts that are not what a full rebuild gives. It needs room for a second warehouse.",
    )
