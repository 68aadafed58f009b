from __future__ import annotations

from pathlib import Path

import dagster as dg

from ingestion.settings import Settings
from orchestration.sensors.alerts import alerts_sensor
from tests.orchestration.conftest import FinishedBatch


def test_the_sensor_tells_of_each_incident_of_the_published_version_once(
    finished: FinishedBatch, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.published_path.symlink_to(finished.settings.published_path.resolve())
    context = dg.build_sensor_context(instance=finished.instance, resources={"settings": settings})
    alerts_sensor(context)
    lines = [line.split("\t") for line in settings.alerts_path.read_text().splitlines()]
    [floor] = [line for line in lines if line[3] == "confidence_floor"]
    assert (floor[1], floor[2], floor[4]) == ("critical", "opened", "site south, camera unknown, model unknown unknown")
    assert "mean confidence is 0.500" in floor[5]
    written = settings.alerts_path.read_text()
    alerts_sensor(context)
    assert settings.alerts_path.read_text() == written
