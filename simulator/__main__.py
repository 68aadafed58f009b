"""The command line `python -m simulator`: reads the arguments, and prints progress and a closing summary."""

import argparse
import sys
from datetime import date, datetime
from functools import partial
from pathlib import Path

from ingestion.errors import FloorhouseError
from simulator.arguments import Arguments
from simulator.simulation import Summary, simulate


def main(arguments: list[str] | None = None) -> int:
    """Run a simulation. Returns exit status 0 if it is complete, or 1 after a message if it cannot be made."""
    options = _parser().parse_args(arguments)
    quiet = options.quiet
    chosen = {name: value for name, value in vars(options).items() if name != "quiet"}
    try:
        # Flushed, because a pipe would otherwise delay all progress to the end.
        summary = simulate(Arguments(**chosen), _ignore if quiet else partial(print, flush=True))
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 1
    if not quiet:
        print(closing_words(summary))
    return 0


def closing_words(summary: Summary) -> str:
    """The summary as text."""
    mix = ", ".join(f"{name} {count / max(1, summary.events):.1%}" for name, count in summary.event_types.items())
    if summary.already_done:
        heading = "The same simulation is already there; nothing was written."
    else:
        heading = f"Written in {summary.seconds:.1f} s, {summary.events_per_second:,.0f} events/s."
    return "\n".join(
        [
            heading,
            f"{summary.events:,} events ({mix})",
            f"{summary.objects:,} objects, {summary.bytes / 1e6:,.1f} MB",
            f"{summary.records:,} records with retries, {sum(summary.malformed.values()):,} malformed on purpose",
        ]
    )


def _ignore(_: str) -> None:
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="Simulate plants into a local bucket.")
    parser.add_argument("--landing", type=Path, required=True, help="folder of the bucket")
    parser.add_argument("--truth", type=Path, required=True, help="folder of the true timeline, outside the bucket")
    parser.add_argument(
        "--start", type=date.fromisoformat, default=Arguments.start, help=f"first day, in UTC ({Arguments.start})"
    )
    parser.add_argument(
        "--until",
        type=datetime.fromisoformat,
        help="send what arrives up to this instant; a later run with a later one sends the rest (all of it)",
    )
    for name, meaning in (
        ("sites", "plants, each in its own time zone"),
        ("cameras", "of all sites together"),
        ("workers", "of all sites together"),
        ("days", "simulated, from --start"),
        ("seed", "the same seed and arguments give the same bytes"),
        ("objects_per_camera_hour", "a divisor of 60"),
    ):
        default = getattr(Arguments, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"{meaning} ({default})")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


if __name__ == "__main__":
    sys.exit(main())
