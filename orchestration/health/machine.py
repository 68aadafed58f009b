"""Checks the machine that a plant runs on: disk, ports, versions, time zone data. Reads only."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.health.finding import Finding

# A nearly full disk is reported in time to free some room. A small free share of a large disk is still enough room.
TIGHT_SHARE = 0.15
TIGHT_BYTES = 20 * 10**9

REPORT_PORT, DAGSTER_PORT = 8080, 3000
_ASK_SECONDS = 2
# The path and the part of the answer by which each program is recognised.
_KNOWN_BY = {"report": ("/", b"<title>Floorhouse"), "Dagster": ("/server_info", b"dagster_version")}
_KNOWN_BY |= {"intake": ("/openapi.json", b"Floorhouse intake")}


def disk(folder: Path) -> Iterator[Finding]:
    """The free room on the disk of a folder, in bytes and in files."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage, files = shutil.disk_usage(there), os.statvfs(there)
    free, share = usage.free, usage.free / max(usage.total, 1)
    figures = {"free_bytes": free, "total_bytes": usage.total}
    told = f"{free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB are free"
    is_tight = share < TIGHT_SHARE and free < TIGHT_BYTES
    yield Finding("disk", f"{told}; free some space." if is_tight else f"{told}.", not is_tight, figures)
    if files.f_files and files.f_favail < files.f_files * 0.01:
        yield Finding("disk", f"Only {files.f_favail:,} more files fit on the disk; delete small ones.", is_fine=False)


def ports(wanted: dict[str, int], host: str = "127.0.0.1") -> Iterator[Finding]:
    """Whether each program's port is free, or used by the program itself."""
    for program, port in wanted.items():
        subject = f"port {port}"
        try:
            with socket.create_server((host, port)):
                yield Finding(
                    subject, f"It is free for the {program}." if program != "Dagster" else "It is free for Dagster."
                )
        except OSError as error:
            if _answers_as(program, host, port):
                yield Finding(subject, f"{_named(program)} answers there.")
            else:
                why = f"Another program has it ({os.strerror(error.errno or 0)})"
                yield Finding(
                    subject, f"{why}; start {_named(program, False)} with --port and another one.", is_fine=False
                )


def _named(program: str, begins: bool = True) -> str:
    return program if program == "Dagster" else f"{'The' if begins else 'the'} {program}"


def _answers_as(program: str, host: str, port: int) -> bool:
    path, mark = _KNOWN_BY[program]
    try:
        # Never through a proxy, which would answer for a port of its own machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{host}:{port}{path}", timeout=_ASK_SECONDS) as answer:
            return mark in answer.read(4096)
    except (OSError, ValueError, urllib.error.HTTPError):
        return False


def versions() -> Iterator[Finding]:
    """The versions of Python and the engines, and whether the installed packages are those that the project pins."""
    import duckdb
    from packaging.requirements import Requirement

    python = platform.python_version()
    engines = {"python": python, "duckdb": duckdb.__version__, "sqlite": sqlite3.sqlite_version}
    try:
        ours = version("floorhouse")
        needed = [Requirement(text) for text in requires("floorhouse") or []]
    except PackageNotFoundError:
        yield Finding("versions", "floorhouse is not installed here; make setup does that.", False, engines)
        return
    wrong = [problem for one in needed if (problem := _problem(one))]
    told = f"floorhouse {ours}, Python {python}, DuckDB {duckdb.__version__}, SQLite {sqlite3.sqlite_version}"
    sentence = f"{told}; {', '.join(wrong)}: make setup installs what is locked." if wrong else f"{told}."
    yield Finding("versions", sentence, not wrong, {"floorhouse": ours, **engines})


def _problem(needed: object) -> str | None:
    from packaging.requirements import Requirement

    assert isinstance(needed, Requirement)
    try:
        found = version(needed.name)
    except PackageNotFoundError:
        return f"{needed.name} is missing"
    return None if found in needed.specifier else f"{needed.name} is {found} and not {needed.specifier}"


def time_zones(zones: Sequence[str], year: int) -> Iterator[Finding]:
    """Whether Python and DuckDB know the sites' time zones and agree about them in `year` and the next year."""
    import duckdb

    instants = [datetime(year + month // 12, month % 12 + 1, day, tzinfo=UTC) for month in range(24) for day in (1, 15)]
    wrong = []
    with duckdb.connect() as connection:
        for zone in zones:
            theirs = connection.execute(
                "select timezone($zone, instant) from (select unnest($instants) as instant)",
                {"zone": zone, "instants": instants},
            ).fetchall()
            ours = [instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for instant in instants]
            if [row[0] for row in theirs] != ours:
                wrong.append(zone)
    data = f"The time-zone data is {version('tzdata')}"
    if wrong:
        yield Finding(
            "time zones",
            f"{data}, and DuckDB's differs from it about {', '.join(wrong)} in {year} or {year + 1}; figures follow "
            "DuckDB's: upgrade Floorhouse, or tell those who maintain it.",
            is_fine=False,
        )
    else:
        yield Finding("time zones", f"{data}, and DuckDB agrees with it about {', '.join(zones)}.")
