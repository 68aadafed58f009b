"""Compares the published marts with the truth. Changes neither.

`python -m simulator.distance_from_truth --truth <folder> --published <folder>`

The true timeline is cut at the simulator's own windows (`windows.parquet`), never at those of the warehouse, so that a
wrong window shows as an error. Only scheduled windows are compared. If only one side has a row, the seconds and units
of the other side count as 0. Utilizations are compared only if both sides have one. A window that had not ended an
hour before the cut-off is not compared.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.errors import FloorhouseError, SettingsError
from simulator.accuracy_queries import COMPARED, OWNED, PER_SITE, WORST


@dataclass(frozen=True)
class SiteAccuracy:
    """The errors of one site: published minus true, per row (worker or station x scheduled window).

    Utilization is a ratio (0 to 1), active time is in seconds. `*_error` is the mean absolute error, `*_bias` the mean
    error.
    """

    site_id: str
    rows: int
    only_true: int
    only_published: int
    utilization_error: float | None
    utilization_bias: float | None
    active_seconds_error: float
    active_seconds_bias: float
    units_error: float
    units_bias: float
    units_total_error: float | None  # as a share of all true units


@dataclass(frozen=True)
class WorstShift:
    """The worker shift whose published active time is furthest from the true one."""

    site_id: str
    shift_date: str
    shift_id: str
    worker_id: str
    true_active_seconds: float
    published_active_seconds: float
    true_utilization: float | None
    published_utilization: float | None


@dataclass(frozen=True)
class Accuracy:
    """The errors of workers and workstations (one entry per site, then one for all sites), and the worst shift."""

    workers: tuple[SiteAccuracy, ...]
    workstations: tuple[SiteAccuracy, ...]
    worst: WorstShift | None


def measure_accuracy(truth: Path, published: Path) -> Accuracy:
    """Compare `worker_shifts` and `workstation_shifts` with the truth.

    Raises:
        SettingsError: a file is missing.
    """
    files = {name: truth / f"{name}.parquet" for name in ("timeline", "units", "windows")}
    stamp = truth / "simulation.json"
    until_ms = json.loads(stamp.read_text(encoding="utf-8"))["until_ms"] if stamp.is_file() else None
    files |= {name: published / f"{name}.parquet" for name in ("worker_shifts", "workstation_shifts")}
    for file in files.values():
        if not file.is_file():
            raise SettingsError(f"{file} does not exist, so there is nothing to compare.")
    with duckdb.connect(":memory:") as connection:
        connection.execute("set timezone = 'UTC'")
        for name, file in files.items():
            connection.execute(f"set variable {name} = ?", [str(file)])
        connection.execute("set variable until_ms = ?", [until_ms])
        connection.execute(OWNED)
        for subject, mart, active in (
            ("worker", "worker_shifts", "active_seconds"),
            ("workstation", "workstation_shifts", "working_seconds"),
        ):
            connection.execute(COMPARED.format(subject=subject, mart=mart, active=active))
        workers, workstations = (
            tuple(SiteAccuracy(*row) for row in connection.execute(PER_SITE.format(subject=subject)).fetchall())
            for subject in ("worker", "workstation")
        )
        worst = connection.execute(WORST).fetchone()
    return Accuracy(workers, workstations, WorstShift(*worst) if worst else None)


def in_words(accuracy: Accuracy) -> str:
    """The comparison as text."""
    lines: list[str] = []
    for title, sites in (("worker shifts", accuracy.workers), ("workstation shifts", accuracy.workstations)):
        lines.append(f"Published {title} against the truth (mean absolute error, bias in brackets)")
        lines += [_site_in_words(site) for site in sites]
    if accuracy.worst:
        worst = accuracy.worst
        lines.append(
            f"Worst worker shift: {worst.worker_id} at {worst.site_id}, {worst.shift_id} of {worst.shift_date}: "
            f"active {worst.published_active_seconds / 60:,.0f} min, true {worst.true_active_seconds / 60:,.0f} min; "
            f"utilization {_percent(worst.published_utilization)}, true {_percent(worst.true_utilization)}"
        )
    return "\n".join(lines)


def _site_in_words(site: SiteAccuracy) -> str:
    utilization = (
        "utilization not comparable"
        if site.utilization_error is None or site.utilization_bias is None
        else f"utilization {100 * site.utilization_error:.2f} points ({100 * site.utilization_bias:+.2f})"
    )
    total = "" if site.units_total_error is None else f", all units {site.units_total_error:+.1%}"
    return (
        f"  {site.site_id}: {site.rows:,} rows, {site.only_true} unseen, {site.only_published} that never were; "
        f"{utilization}, active {site.active_seconds_error:,.0f} s ({site.active_seconds_bias:+,.0f}), "
        f"units {site.units_error:.1f} ({site.units_bias:+.1f}){total}"
    )


def _percent(ratio: float | None) -> str:
    return "none" if ratio is None else f"{ratio:.1%}"


def main(arguments: list[str] | None = None) -> int:
    """Print the comparison. Returns exit status 0, or 1 after one sentence if there is nothing to compare."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.distance_from_truth", description="Compare marts with the truth."
    )
    parser.add_argument("--truth", type=Path, required=True, help="folder that the simulator wrote its truth to")
    parser.add_argument("--published", type=Path, required=True, help="folder of the published marts")
    options = parser.parse_args(arguments)
    try:
        print(in_words(measure_accuracy(options.truth, options.published)))
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
