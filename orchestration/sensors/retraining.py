"""Hands each request for retraining to the trainer once: one run per request, which records it and runs the command."""

import json
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from ingestion.settings import Settings

INTERVAL_SECONDS = 60
# The end of a command's output says why it failed.
TOLD_CHARACTERS = 2000


def requests_to_hand_over(waiting: Iterable[str], handed_over: Iterable[str]) -> list[str]:
    """The requests in the outbox that have not been handed over, in the order of their names."""
    return sorted(set(waiting) - set(handed_over))


def waiting_requests(outbox: Path) -> list[str]:
    """The requests whose folder is complete. A request that is still being written has a hidden name."""
    return [path.parent.name for path in outbox.glob("[!.]*/manifest.json")]


class HandOver(dg.Config):
    """The request that a run is for."""

    request_id: str


@dg.op
def hand_over(context: dg.OpExecutionContext, config: HandOver, settings: dg.ResourceParam[Settings]) -> None:
    """Record the request beside the mart, then run the trainer's command, if any, with the request's manifest."""
    manifest = settings.outbox_path / "retraining" / config.request_id / "manifest.json"
    request = json.loads(manifest.read_text(encoding="utf-8"))
    command = [*shlex.split(settings.trainer_command), str(manifest)] if settings.trainer_command else None
    context.log_event(
        dg.AssetObservation(
            asset_key=["marts", "retraining_requests"],
            description=request["sentence"],
            metadata={
                "request_id": request["request_id"],
                "site_id": request["site_id"],
                "model": f"{request['model_name']} {request['model_version']}",
                "reason": request["reason"],
                "manifest": dg.MetadataValue.path(str(manifest)),
                "training_rows": request["training_set"]["rows"],
                "command": shlex.join(command) if command else "none",
            },
        )
    )
    if command:
        _run(command, context)


def _run(command: list[str], context: dg.OpExecutionContext) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except OSError as error:
        raise dg.Failure(f"The trainer's command {command[0]} cannot be started: {error.strerror}.") from error
    told = done.stdout[-TOLD_CHARACTERS:].strip()
    if done.returncode:
        raise dg.Failure(f"The trainer's command {command[0]} ended with status {done.returncode}: {told}")
    context.log.info(f"the trainer's command ended well: {told or 'it said nothing'}")


@dg.job(
    description="Tell the trainer of one request: an observation of the mart, and FLOORHOUSE_TRAINER_COMMAND.",
    tags={"floorhouse/kind": "training"},
)
def hand_over_request() -> None:
    """The only step. It needs no warehouse, because a training may take longer than many batches."""
    hand_over()


@dg.sensor(
    name="retraining_sensor",
    job=hand_over_request,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run for each new request for retraining in the outbox.",
)
def retraining_sensor(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.SensorResult | dg.SkipReason:
    """Start a run for each new request. The cursor holds handed-over requests that are still in the outbox.

    The run key prevents a second run for a request that the cursor does not hold.
    """
    waiting = waiting_requests(settings.outbox_path / "retraining")
    handed_over: list[str] = json.loads(context.cursor) if context.cursor else []
    new = requests_to_hand_over(waiting, handed_over)
    if not new:
        return dg.SkipReason("No new request for retraining.")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=name, run_config={"ops": {"hand_over": {"config": {"request_id": name}}}})
            for name in new
        ],
        cursor=json.dumps(sorted(waiting)),
    )
