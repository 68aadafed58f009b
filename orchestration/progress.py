"""The lines that a person sees while a batch runs: the steps' own lines, without Dagster's events."""

from __future__ import annotations

import logging
from collections.abc import Callable

import dagster as dg

# Dagster's own lines about skipped steps. The step that found nothing to do has already said why.
_DAGSTERS_OWN = ("Skipping step ", "Blocking asset check ")

Write = Callable[[str], None]


class _StepLines(logging.Handler):
    """Writes the steps' lines of level INFO and WARNING. Errors appear once, at the end, not once for each step that
    waited for the failed one. An attribute marks Dagster's own events.
    """

    def __init__(self, write: Write) -> None:
        super().__init__(logging.INFO)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        metadata = getattr(record, "dagster_meta", None) or {}
        is_event = getattr(record, "dagster_event", None) or metadata.get("dagster_event")
        message = str(metadata.get("orig_message") or record.getMessage())
        if not is_event and record.levelno < logging.ERROR and not message.startswith(_DAGSTERS_OWN):
            self._write(f"{metadata.get('step_key') or 'batch':<9} {message}")


def quiet_skips() -> None:
    """Keep Dagster from warning about every check without a result when a batch ends early."""
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)


def progress_logger(write: Write) -> dg.LoggerDefinition:
    """A Dagster logger that passes each line to `write`, with the step's name in front."""

    @dg.logger(config_schema={}, description="Lines for the person who started the batch.")
    def progress(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("floorhouse.progress", logging.INFO)  # noqa: LOG001  # one of its own for each run
        logger.addHandler(_StepLines(write))
        return logger

    return progress
