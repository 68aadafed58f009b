"""The inventory: every place of a data folder, and what may stand there about people.

Erasure, search, retention, the change to pseudonyms and the page docs/privacy.md go by this list, and a test fails
where the program writes a file that no place of it has. Tables are found by their columns (ingestion/stored_tables.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

from ingestion.landing.continuity import STATE_NAME
from ingestion.landing.rebuild import WORK_FOLDER


class Kind(Enum):
    """How what a place holds is changed: the value says it on the page."""

    BUCKET = "erasure rewrites objects; retention deletes archived ones; pseudonyms leave it as it is"
    WAREHOUSE = "erasure and retention delete rows and write the file anew; pseudonyms are put in"
    COPY = "erasure, retention and pseudonyms delete it"
    ANEW = "erasure, retention and pseudonyms make it anew, and older versions go"
    SAMPLE = "erasure and retention take lines off; pseudonyms remove the files, and the sample is drawn anew"
    TEXT = "erasure, retention and pseudonyms take lines off"
    RECORDS = "erasure and pseudonyms delete entries; Dagster keeps 500 runs, for 90 days at most"
    JOURNAL = "the work itself ends it"
    NOBODY = "searched all the same"


@dataclass(frozen=True, slots=True)
class Place:
    """Files below the data folder (`patterns`, as fnmatch reads them), what they are, whom they tell of, how long."""

    patterns: tuple[str, ...]
    what: str
    whom: str
    how_long: str
    kind: Kind

    def holds(self, path: str) -> bool:
        """Whether a file of this path below the data folder lies here."""
        return any(fnmatchcase(path, pattern) for pattern in self.patterns)


_EVENTS = "`RETENTION_EVENT_DAYS`, unset: for ever"
_PERSONS = "`RETENTION_PERSON_DAYS`, unset: for ever"

PLACES = (
    Place(
        ("landing/*",),
        "the bucket: what cameras, reviewers and administrators wrote",
        "workers, reviewers",
        "`RETENTION_ARCHIVE_DAYS` for `archive/`, unset: for ever",
        Kind.BUCKET,
    ),
    Place(
        ("warehouse.duckdb", "warehouse.duckdb.*", ".warehouse.duckdb*"),
        "raw events, rejected records, names, labels, all marts",
        "workers, reviewers",
        f"{_EVENTS}; rows about persons: `RETENTION_PERSON_DAYS`",
        Kind.WAREHOUSE,
    ),
    Place(
        ("warehouse-before-*", f"{WORK_FOLDER}/*", "verify-*"),
        "copies: before an upgrade or a rebuild, while a rebuild or a comparison goes on",
        "workers",
        "until the next upgrade, or the end of the work",
        Kind.COPY,
    ),
    Place(("published-versions/*",), "published marts, two versions", "workers", _PERSONS, Kind.ANEW),
    Place(("site/*",), "the report and its data, two versions", "workers", _PERSONS, Kind.ANEW),
    Place(("quality/*",), "the newest batch's checks, for the report", "groups", "until the next batch", Kind.TEXT),
    Place(("outbox/review/*",), "sampled events for labelling tools", "workers", _EVENTS, Kind.SAMPLE),
    Place(
        ("outbox/retraining/*",),
        "training sets: stations and instants, nobody's id",
        "nobody by name",
        _EVENTS,
        Kind.ANEW,
    ),
    Place(
        ("logs/*", "alerts.log", "dbt/logs/*"),
        "logs",
        "nobody by intention; an error's text may hold an id",
        _PERSONS,
        Kind.TEXT,
    ),
    Place(("alerts/*",), "alerts that were sent or wait", "ids that look alike", _PERSONS, Kind.TEXT),
    Place(
        ("status.json", ".status.json.new", "repairs.json", ".repairs.json.new"),
        "why batches stopped, what was put right",
        "nobody by intention",
        "until batches go on",
        Kind.TEXT,
    ),
    Place(("dagster/*",), "Dagster's records of runs", "nobody by intention", "90 days", Kind.RECORDS),
    Place(("dbt/*",), "the models as they were run", "nobody", "until the next batch", Kind.NOBODY),
    Place(
        ("privacy/erasures.log", "warehouse.lock", STATE_NAME, f".{STATE_NAME}*", "published", "demo-truth/*"),
        "locks, hashes, counts, what the demo simulated",
        "nobody",
        "for ever",
        Kind.NOBODY,
    ),
    Place(
        ("privacy/*.pending",),
        "erasures and changes to pseudonyms under way",
        "whom they are about",
        "until they are finished",
        Kind.JOURNAL,
    ),
)


def place_of(path: str) -> Place | None:
    """The place of a file by its path below the data folder; None where the list has none."""
    return next((place for place in PLACES if place.holds(path)), None)


def kind_of(path: str) -> Kind:
    """How a file is treated; what no place has is treated as text."""
    place = place_of(path)
    return Kind.TEXT if place is None else place.kind


def page_lines() -> list[str]:
    """The inventory as rows of the table in docs/privacy.md."""
    return [
        f"| {place.what} | {place.whom} | {', '.join(f'`{one}`' for one in place.patterns)} | {place.how_long} "
        f"| {place.kind.value} |"
        for place in PLACES
    ]
