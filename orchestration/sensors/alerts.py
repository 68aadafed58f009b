"""Delivers alerts every half minute: opened and closed incidents, and alerts that a sink refused the last time."""

import time

import dagster as dg

from ingestion.settings import Settings

INTERVAL_SECONDS = 30


@dg.sensor(
    name="alerts_sensor",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends each opened and each closed incident to the alert sinks, and tries again what was not taken.",
)
def alerts_sensor(_: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SkipReason:
    """Deliver once. The outbox stores what was delivered; this sensor stores nothing."""
    # Imported here: only a delivery needs it.
    from quality.alerts.deliver import deliver
    from quality.alerts.settings import read_alert_settings

    delivery = deliver(settings, read_alert_settings(), time.time())
    told = [f"{delivery.sent} sent" if delivery.sent else "Nothing to tell."]
    if delivery.waiting:
        told.append(f"{delivery.waiting} waiting: {'; '.join(delivery.problems) or 'not due yet'}")
    return dg.SkipReason(", ".join(told))
