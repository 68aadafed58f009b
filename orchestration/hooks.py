"""What follows from the end of a batch's step: a failure is noted where people look, whoever started the batch."""

from datetime import UTC, datetime

import dagster as dg

from ingestion.errors import FloorhouseError


@dg.failure_hook(required_resource_keys={"settings"}, name="note_stop")
def note_failed_step(context: dg.HookContext) -> None:
    """Say on every page and through the alerts that a batch failed, and why."""
    from quality.alerts.batches import note_stop  # imported here: batches that succeed never need it

    error = context.op_exception
    while error is not None and not isinstance(error, FloorhouseError) and (error.__cause__ or error.__context__):
        error = error.__cause__ or error.__context__
    sentence = str(error) if error is not None else f"the step {context.op.name} failed"
    note_stop(context.resources.settings, sentence, datetime.now(UTC))
