"""Writes the truth folder beside the bucket: true timeline, units and windows, deliveries, and deliberate faults.

Files of the truth folder (instants are UTC):
timeline.parquet    site_id, worker_id, workstation_id, state, started_at, ended_at
units.parquet       site_id, worker_id, workstation_id, made_at, units
windows.parquet     site_id, shift_date, shift_id, started_at, ended_at
deliveries.parquet  object_key, cause, delivered_at, records, malformed_records, in the order of arrival per site
episodes.json       drift, outage, silent camera, wrong clock: where and when
simulation.json     arguments and summary; it is written last, so its presence marks the simulation as complete
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.contract.events import STATES
from simulator.draws import Integers
from simulator.fleet import Site
from simulator.production import Counts
from simulator.timeline import Segments
from simulator.windows import Windows


def timeline_table(site: Site, segments: Segments) -> pa.Table:
    """One row per state of a worker."""
    return pa.table(
        {
            "site_id": _same(site.site_id, len(segments.worker)),
            "worker_id": _chosen([worker.worker_id for worker in site.workers], segments.worker),
            "workstation_id": _chosen([station.workstation_id for station in site.stations], segments.station),
            "state": _chosen(STATES, segments.state),
            "started_at": instants(segments.started_ms),
            "ended_at": instants(segments.ended_ms),
        }
    )


def units_table(site: Site, segments: Segments, counts: Counts) -> pa.Table:
    """One row per true report of finished units."""
    return pa.table(
        {
            "site_id": _same(site.site_id, len(counts.units)),
            "worker_id": _chosen([worker.worker_id for worker in site.workers], segments.worker[counts.segment]),
            "workstation_id": _chosen(
                [station.workstation_id for station in site.stations], segments.station[counts.segment]
            ),
            "made_at": instants(counts.at_ms),
            "units": pa.array(counts.units),
        }
    )


def windows_table(site: Site, windows: Windows) -> pa.Table:
    """One row per scheduled window that can touch the simulated days."""
    return pa.table(
        {
            "site_id": _same(site.site_id, len(windows.shift)),
            "shift_date": pa.array(windows.shift_date),
            "shift_id": _chosen([shift.shift_id for shift in site.shifts], windows.shift),
            "started_at": instants(windows.started_ms),
            "ended_at": instants(windows.ended_ms),
        }
    )


def write_table(folder: Path, name: str, parts: Sequence[pa.Table]) -> None:
    """Write the rows of all sites as one Parquet file."""
    unfinished = folder / f".{name}.parquet"
    pq.write_table(pa.concat_tables(parts), unfinished, compression="zstd")
    os.replace(unfinished, folder / f"{name}.parquet")


def write_json(folder: Path, name: str, value: Any) -> None:
    """Write a small JSON file, formatted for people."""
    unfinished = folder / f".{name}.json"
    unfinished.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, folder / f"{name}.json")


def instants(milliseconds: Integers) -> pa.Array:
    """Milliseconds since 1970 as UTC timestamps in microseconds."""
    return pa.array(np.asarray(milliseconds, dtype=np.int64) * 1000).cast(pa.timestamp("us", tz="UTC"))


def _chosen(names: Sequence[str], positions: Integers) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(positions, pa.int64()))


def _same(name: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(name, pa.string()), count)
