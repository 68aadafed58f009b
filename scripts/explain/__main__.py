"""`python -m scripts.explain --worker W1 --date 2026-01-15 [--site …] [--shift …]`: print how a row came to be."""

from __future__ import annotations

import argparse
import sys
from datetime import date

from ingestion.errors import FloorhouseError
from ingestion.settings import read_settings
from scripts.explain.reading import ExplainError, read_evidence
from scripts.explain.telling import tell


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 with the explanation, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m scripts.explain", description="Explain a worker's shift.")
    parser.add_argument("--worker", default="", help="the worker's id")
    parser.add_argument("--date", default="", help="the shift date, YYYY-MM-DD")
    parser.add_argument("--site", default="", help="needed where several sites have such a worker")
    parser.add_argument("--shift", default="", help="one of the date's shifts (default: all of them)")
    options = parser.parse_args(arguments)
    try:
        worker, day = _given(options.worker), _date(options.date)
        shifts = read_evidence(read_settings(), worker, day, options.site or None, options.shift or None)
        for number, evidence in enumerate(shifts):
            print("\n" + "=" * 80 + "\n" if number else "", end="")
            print("\n".join(tell(evidence)))
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _given(worker: str) -> str:
    if not worker:
        raise ExplainError("Which worker? For instance: make explain WORKER=W1 DATE=2026-01-15.")
    return worker


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ExplainError(f"DATE is {text!r}; expected is a shift date such as 2026-01-15.") from error


if __name__ == "__main__":
    sys.exit(main())
