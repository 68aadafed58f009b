"""What happens after a step of a batch has failed: the failure is recorded for people, whoever started the batch."""

from datetime import UTC, datetime

import dagster as dg

from ingestion.errors import FloorhouseError


@dg.failure_hook(required_resource_keys={"settings"}, name="note_stop")
def note_failed_step(context: dg.HookContext) -> None:
    """Show on every page and in the alerts that a batch failed, and why."""
    from quality.alerts.batches import note_stop  # imported here: batches that succeed do not need it

    error = context.op_exception
    while error is not None and not isinstance(error, FloorhouseError) and (error.__cause__ or error.__context__):
        error = error.__cause__ or error.__context__
    sentence = str(error) if error is not None else f"the step {context.op.name} failed"
    note_stop(context.resources.settings, sentence, datetime.now(UTC))
