"""Proves an erasure: searches every file of the data folder and every object of the bucket for one person.

It changes nothing and shares no code with the erasure: each file is opened in its format (DuckDB, Parquet, SQLite,
JSON, CSV, compressed or not), and its bytes are also searched for names that are unique to the person.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from ingestion.bucket import Bucket, LocalBucket
from ingestion.bucket.rewriting import every_object, fetch_all
from ingestion.contract.events import folder_of
from ingestion.records.encoding import read_text
from ingestion.records.framing import split_records
from ingestion.records.unpacking import Undecodable, compression_of
from ingestion.settings import Settings
from ingestion.stored_tables import literal, quoted, tables_with
from privacy.bucket_erasure import plain_name
from privacy.contents import count_theirs, rows_without_person
from privacy.inventory import Kind, kind_of
from privacy.person import Person, mentions
from privacy.traces import Traces, unmistakable

# Everything else in use as an id or a name, which could be confused with the person's.
_OF_PERSON = ("worker_id", "worker_name", "name")
_NAMES = (
    *_OF_PERSON,
    *("site_id", "site_name", "workstation_id", "workstation_name", "station_type"),
    *("camera_id", "shift_id", "model_name", "model_version"),
)


@dataclass
class SearchReport:
    """What was searched, what was found where, and what could not be searched."""

    searched: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    found: dict[str, int] = field(default_factory=dict)
    # Where an id or a name stands that nothing attributes to the person or to another.
    mentions: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add(self, place: str, count: int) -> None:
        """Record the traces found in a place."""
        if count:
            self.found[place] = self.found.get(place, 0) + count

    def mention(self, place: str, count: int) -> None:
        """Keep what mentions the person in a place and may be about another."""
        if count:
            self.mentions[place] = self.mentions.get(place, 0) + count


def traces_of(connection: duckdb.DuckDBPyConnection, person: Person, names: Iterable[str] = ()) -> Traces:
    """How the person is recognised, given all other ids and names in the warehouse. `names` are the person's names."""
    others: set[str] = set()
    is_id_elsewhere = False
    with_person = set(tables_with(connection, "site_id", "worker_id"))
    for column in _NAMES:
        for table in tables_with(connection, column):
            person_columns = "site_id, worker_id" if table in with_person else "null, null"
            query = f"select distinct {column}, {person_columns} from {quoted(table)} where {column} is not null"
            for name, site_id, worker_id in connection.execute(query).fetchall():
                if site_id == person.site_id and worker_id in person.ids and column in _OF_PERSON:
                    continue
                others.add(str(name))
                is_id_elsewhere = is_id_elsewhere or (column == "worker_id" and name in person.ids)
    # Under pseudonyms the warehouse does not know which other ids contain the cameras' id.
    own = person.ids if len(person.ids) == 1 else person.ids - {person.worker_id}
    person = replace(person, names=frozenset(names), is_id_elsewhere=is_id_elsewhere)
    return Traces(person, unmistakable({*own, *names}, others), is_id_elsewhere)


def search_everywhere(
    settings: Settings, bucket: Bucket, traces: Traces, leave_out: Iterable[Path] = ()
) -> SearchReport:
    """Search the data folder and the bucket. No connection to the warehouse may be open."""
    report = SearchReport()
    root = bucket.root.resolve() if isinstance(bucket, LocalBucket) else None
    left_out = {path.resolve() for path in leave_out}
    for path in _files(settings.data_dir):
        if path.resolve() in left_out or (root is not None and path.is_relative_to(root)):
            continue
        try:
            _search_file(path, path.relative_to(settings.data_dir).as_posix(), traces, report, settings)
        except FileNotFoundError:
            continue  # a temporary file of a running server
        except (OSError, ValueError, duckdb.Error, sqlite3.Error):
            report.unread.append(str(path))
    _search_bucket(bucket, traces, report, settings)
    return report


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, each once; links are skipped because their targets are found under their own names."""
    for path in sorted(folder.resolve().rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _search_file(path: Path, place: str, traces: Traces, report: SearchReport, settings: Settings) -> None:
    content = path.read_bytes()
    report.bytes += len(content)
    report.add(f"{place} (its name)", traces.in_bytes(place.encode()))
    report.add(f"{place} (bytes)", traces.in_bytes(content))
    if content[:4] == b"PAR1":
        report.searched["Parquet files"] += 1
        with duckdb.connect() as connection:
            report.add(place, traces.count_rows(connection, f"read_parquet({literal(str(path))})"))
    elif content[8:12] == b"DUCK":
        report.searched["warehouse files"] += 1
        with duckdb.connect(path, read_only=True) as connection:
            _search_tables(connection, place, traces, report)
    elif content[:16] == b"SQLite format 3\0":
        report.searched["databases of Dagster and others"] += 1
        report.add(place, _count_in_sqlite(path, traces))
    else:
        report.searched["other files"] += 1
        _search_text(path.name, content, place, traces, report, settings)


def _search_tables(connection: duckdb.DuckDBPyConnection, place: str, traces: Traces, report: SearchReport) -> None:
    for table in tables_with(connection):
        report.searched["tables of the warehouse"] += 1
        name = f"{place}: {'.'.join(table)}"
        report.add(name, traces.count_rows(connection, quoted(table)))
        report.mention(name, traces.count_mentions(connection, quoted(table)))


def _count_in_sqlite(path: Path, traces: Traces) -> int:
    count = 0
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            quoted_name = '"' + name.replace('"', '""') + '"'
            for row in connection.execute(f"select * from {quoted_name}"):
                text = "\n".join(value for value in row if isinstance(value, str))
                count += traces.in_line(text)
    return count


def _search_text(
    name: str, content: bytes, place: str, traces: Traces, report: SearchReport, settings: Settings
) -> None:
    if compression_of(content[:4]) is not None:
        content, _ = read_text(content, settings.max_object_bytes)
        report.add(f"{place} (unpacked)", traces.in_bytes(content))
        name = name.rpartition(".")[0]
    if name.endswith(".csv"):
        report.add(place, rows_without_person(content, traces.person)[1])
    elif content.lstrip()[:1] in (b"{", b"["):
        records = split_records(content).raws
        theirs = [raw for raw in records if traces.in_record(raw, place)]
        report.add(place, len(theirs))
        if kind_of(place) is not Kind.ANEW:  # what is made anew repeats mentions of the tables that it is made from
            mentioning = [raw for raw in records if mentions(raw, folder_of(place), traces.person)]
            report.mention(place, sum(raw not in theirs for raw in mentioning))
    elif kind_of(place) in (Kind.TEXT, Kind.SAMPLE):
        texts = content.decode("utf-8", "replace").splitlines()
        lines = [line for line in texts if traces.in_line(line)]
        report.add(place, len(lines))
        mentioned = traces.person.mentioned
        report.mention(place, sum(mentioned.search(line) is not None for line in texts if line not in lines))


def _search_bucket(bucket: Bucket, traces: Traces, report: SearchReport, settings: Settings) -> None:
    for fetched in fetch_all(bucket, every_object(bucket), settings.max_object_bytes):
        report.searched["objects of the bucket"] += 1
        report.bytes += fetched.size
        report.add(f"{fetched.key} (its name)", traces.in_bytes(fetched.key.encode("utf-8", "surrogateescape")))
        if fetched.content is None:
            report.unread.append(fetched.key)
            continue
        name = plain_name(fetched.key)
        try:
            if name.endswith(".csv"):
                content = fetched.content
                count, mentioned = rows_without_person(content, traces.person)[1], 0
            else:
                content, _ = read_text(fetched.content, settings.max_object_bytes)
                count, mentioned = count_theirs(content, folder_of(fetched.key), traces.person)
        except (Undecodable, ValueError):
            report.unread.append(fetched.key)
            continue
        report.add(fetched.key, count)
        report.mention(fetched.key, mentioned)
        report.add(f"{fetched.key} (bytes)", traces.in_bytes(content))
