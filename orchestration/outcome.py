"""The outcome of a batch's run, from Dagster's events: its failures as one sentence, its checks as counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ingestion import errors
from orchestration.summary import Checks

if TYPE_CHECKING:
    from dagster import DagsterEvent
    from dagster._utils.error import SerializableErrorInfo

_OURS = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.FloorhouseError)
}


def failures(events: Iterable[DagsterEvent]) -> list[SerializableErrorInfo]:
    """The errors of a run: those of its steps, in order; without any, those of its resources and of the run."""
    of_steps: list[SerializableErrorInfo] = []
    others: list[SerializableErrorInfo] = []
    for event in events:
        data: Any = event.event_specific_data
        error = getattr(data, "error", None)
        if error is not None:
            (of_steps if event.is_step_failure else others).append(error)
    return of_steps or others


def sentence_of(error: SerializableErrorInfo) -> str | None:
    """The sentence of the FloorhouseError that Dagster wrapped; None for any other error."""
    for link in _chain(error):
        if link.cls_name in _OURS:
            # Dagster's message is the last line of the traceback: the class's full name, a colon, the text.
            return link.message.split(": ", 1)[-1].strip()
    return None


def root_of(error: SerializableErrorInfo) -> str:
    """The innermost error in one line."""
    innermost = list(_chain(error))[-1]
    return " ".join(innermost.message.split())[:300]


def _chain(error: SerializableErrorInfo) -> Iterator[SerializableErrorInfo]:
    link: SerializableErrorInfo | None = error
    while link is not None:
        yield link
        link = link.cause or link.context


def step_seconds(events: Iterable[DagsterEvent]) -> dict[str, float]:
    """The duration of each step that succeeded, in seconds, in the order in which the steps ended."""
    return {
        str(event.step_key): event.step_success_data.duration_ms / 1000 for event in events if event.is_step_success
    }


def count_checks(evaluations: Iterable[Any]) -> Checks:
    """Count asset check evaluations: how many passed, which failed, how many had too little data."""
    passed, insufficient = 0, 0
    failed = []
    for evaluation in evaluations:
        status = evaluation.metadata.get("status")
        if not evaluation.passed:
            failed.append(f"{evaluation.check_name} ({evaluation.asset_key.to_user_string()})")
        elif status is not None and status.value == "insufficient_data":
            insufficient += 1
        else:
            passed += 1
    return Checks(passed, failed, insufficient)
