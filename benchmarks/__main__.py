"""Measure every stage once and write the table to `benchmarks/results.md`, with the size of the machine."""

from __future__ import annotations

import argparse
import gc
import os
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import landing, stages
from benchmarks.bridge import bridge
from benchmarks.checks import checks
from benchmarks.framing import framing
from benchmarks.intake import intake
from benchmarks.live import live
from benchmarks.load import load
from benchmarks.mapping import mapping
from benchmarks.report import report
from orchestration.commands.run import OBJECTS_BETWEEN_COLLECTIONS

RESULTS = Path(__file__).with_name("results.md")
README = Path(__file__).resolve().parent.parent / "README.md"


@dataclass
class Table:
    """The measured rows. Each is printed at once, and all are written at the end."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, stage: str, seconds: str, result: str) -> None:
        """Print one row and store it."""
        self.rows.append((stage, seconds, result))
        print(f"{stage:<58} {seconds:>9}  {result}", flush=True)

    def markdown(self, events: int) -> str:
        """All rows as a page, with the size of the machine that measured them."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        machine = (
            f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}; "
            f"{events:,} events unless a row says otherwise. Written by `make bench`. "
            "Times are wall-clock and vary with the machine; ratios were measured side by side in one run."
        )
        lines = [
            "# What Floorhouse costs",
            "",
            machine,
            "",
            "| stage | seconds | result |",
            "| --- | --- | --- |",
            *(f"| {stage} | {seconds} | {result} |" for stage, seconds, result in self.rows),
            "",
        ]
        return "\n".join(lines)


def main() -> None:
    """Run all stages in a temporary folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="events for landing and transformation")
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each ratio; the median is shown")
    arguments = parser.parse_args()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)  # as the batch command does
    now = datetime.now(UTC)
    table = Table()
    with tempfile.TemporaryDirectory(prefix="floorhouse-bench-") as folder:
        work = Path(folder)
        stages.simulator(work, table.add)
        framing(work, arguments.events, landing.OBJECTS, arguments.rounds, table.add)
        landing.landing(work, arguments.events, arguments.rounds, now, table.add)
        mapping(work, arguments.events, arguments.rounds, now, table.add)
        landing.from_server(work, arguments.events, arguments.rounds, now, table.add)
        stages.transformation_and_publishing(work, arguments.events, table.add)
        stages.whole_cycle(work, table.add)
        checks(work, table.add)
        intake(work, table.add)
        bridge(work, table.add)
        load(work, table.add)
        report(work, table.add)
        live(work, table.add)
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        table.add("peak memory of the largest process", "", f"{peak / 2**20:.2f} GiB")
    page = table.markdown(arguments.events)
    RESULTS.write_text(page)
    README.write_text(quote(README.read_text(), page))
    print("written to benchmarks/results.md and README.md")


def quote(readme: str, page: str) -> str:
    """The README with the page (without its title) between its marks."""
    start, end = "<!-- benchmarks/results.md -->\n", "<!-- end -->"
    before, _, rest = readme.partition(start)
    return before + start + "\n" + page.partition("\n\n")[2] + "\n" + end + rest.partition(end)[2]


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(map(str, error.cmd))} ended with {error.returncode}.")
