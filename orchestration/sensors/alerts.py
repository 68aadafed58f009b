"""One line in the alerts log for each asset check that failed in a finished run: each once, and none lost."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from ingestion.settings import Settings

INTERVAL_SECONDS = 30
RUNS_AT_A_TIME = 50
# How much of the log's end is looked through for a line that is there already: many times what one turn writes.
TAIL_BYTES = 4 * 1024 * 1024

_FINISHED = {
    "success": dg.DagsterEventType.RUN_SUCCESS,
    "failure": dg.DagsterEventType.RUN_FAILURE,
    "canceled": dg.DagsterEventType.RUN_CANCELED,
}


@dataclass(frozen=True, slots=True)
class Alert:
    """A failed check of one run."""

    at: datetime
    check: str
    severity: str
    observed: str
    threshold: str
    sentence: str
    run_id: str

    def line(self) -> str:
        """Seven fields between tabs: time, severity, check, observed, threshold, sentence, run."""
        fields = (
            self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            self.severity,
            self.check,
            self.observed,
            self.threshold,
            self.sentence,
            self.run_id,
        )
        return "\t".join(" ".join(field.split()) for field in fields)

    def is_in(self, lines: Iterable[str]) -> bool:
        """Whether one of these lines tells of this check in this run."""
        return any(line.endswith(f"\t{self.run_id}") and f"\t{self.check}\t" in line for line in lines)


def alert_of(evaluation: dg.AssetCheckEvaluation, at: datetime, run_id: str) -> Alert | None:
    """The alert of a check's evaluation; None where it passed. dbt's tests have no sentence of their own."""
    if evaluation.passed:
        return None
    told: Mapping[str, Any] = {name: value.value for name, value in evaluation.metadata.items()}
    failed_rows = told.get("dagster_dbt/failed_row_count", "")
    return Alert(
        at=at,
        check=f"{evaluation.asset_key.to_user_string()}:{evaluation.check_name}",
        severity=evaluation.severity.value,
        observed=str(told.get("observed", failed_rows)),
        threshold=str(told.get("threshold", "0" if failed_rows != "" else "")),
        sentence=str(told.get("sentence", f"{failed_rows} rows fail the data test {evaluation.check_name}.")),
        run_id=run_id,
    )


def append_alerts(path: Path, alerts: Iterable[Alert]) -> int:
    """Append the alerts that the log does not have yet, in one write; returns how many.

    The log itself is asked, because a process can end between this write and the sensor's own memory of it.
    """
    present = _tail(path)
    lines = [alert.line() for alert in alerts if not alert.is_in(present)]
    if lines:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
    return len(lines)


def _tail(path: Path) -> list[str]:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def failed_checks(instance: dg.DagsterInstance, run_id: str) -> list[Alert]:
    """The alerts of one run, in the order of its checks."""
    alerts = []
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        if entry.dagster_event is not None:
            evaluation = entry.dagster_event.asset_check_evaluation_data
            alert = alert_of(evaluation, datetime.fromtimestamp(entry.timestamp, UTC), run_id)
            alerts.append(alert)
    return [alert for alert in alerts if alert is not None]


@dg.sensor(
    name="alerts_sensor",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Writes a line for each failed asset check to the alerts log.",
)
def alerts_sensor(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SkipReason:
    """Look through the runs that ended since the last time; the cursor is a place in Dagster's log for each ending."""
    cursors: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    alerts = []
    for ending, event_type in _FINISHED.items():
        finished = context.instance.fetch_run_status_changes(
            event_type, limit=RUNS_AT_A_TIME, cursor=cursors.get(ending), ascending=True
        )
        for record in finished.records:
            alerts += failed_checks(context.instance, record.run_id)
        cursors[ending] = finished.cursor
    written = append_alerts(settings.alerts_path, alerts)
    context.update_cursor(json.dumps(cursors))
    return dg.SkipReason(f"{written} alerts written to {settings.alerts_path}." if written else "No check failed.")
