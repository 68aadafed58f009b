"""`floorhouse explain`: explains a row of worker_shifts by the intervals, rules and records behind it."""

from __future__ import annotations

from datetime import date

from ingestion.printable import printable
from ingestion.settings import read_settings
from scripts.explain.reading import ExplainError, read_evidence
from scripts.explain.telling import tell


def explain_shifts(worker: str, day: str, site: str, shift: str) -> int:
    """Print how each of the shifts was computed, and return exit status 0. An empty `site` or `shift` matches all.

    Raises:
        FloorhouseError: a setting is wrong, or there is no such shift.
    """
    if not worker:
        raise ExplainError("Which worker? For instance: make explain WORKER=W1 DATE=2026-01-15.")
    shifts = read_evidence(read_settings(), worker, _date(day), site or None, shift or None)
    for number, evidence in enumerate(shifts):
        print("\n" + "=" * 80 + "\n" if number else "", end="")
        print("\n".join(map(printable, tell(evidence))))
    return 0


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ExplainError(f"DATE is {text!r}; expected a shift date such as 2026-01-15.") from error
