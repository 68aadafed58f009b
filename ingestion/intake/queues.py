"""What waits for reviewers, read from the published marts: the review queue and the audit queue.

Reads the files that every reader of the marts reads, of one version at a time, and keeps nothing between two requests.
Never opens the warehouse, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.errors import FloorhouseError
from ingestion.intake.keys import Reviewer

REVIEW, AUDIT = "review", "audit"
# Older scenes are rarely on a recorder still, and decide about no running model.
NEWEST_DAYS = 92


class QueueUnreadable(FloorhouseError):
    """The published marts cannot be read at the moment; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One question: an event of the review queue, or an instant at a station of the audit queue.

    `camera_id`, `worker_id`, `reported` and `confidence` are None in the audit queue, which asks without a hint.
    """

    key: str
    site_id: str
    at: datetime  # UTC
    workstation_id: str
    camera_id: str | None
    worker_id: str | None
    reported: str | None
    confidence: float | None
    timezone: str = "UTC"  # of the site


@dataclass(frozen=True, slots=True)
class _Source:
    mart: str
    answered: str  # the mart of keys that people have answered
    key: str
    columns: str  # those of `Scene`, in its order


_SOURCES = {
    REVIEW: _Source(
        "review_queue",
        "labelled_events",
        "event_key",
        "event_key as key, site_id, timestamp as seen_at, workstation_id, camera_id, worker_id, event_type, confidence",
    ),
    AUDIT: _Source(
        "audit_queue",
        "audited_instants",
        "audit_key",
        "audit_key as key, site_id, sampled_at as seen_at, workstation_id, null, null, null, null",
    ),
}
QUEUES = tuple(_SOURCES)
_ZONE = "coalesce((select any_value(timezone) from {sites} as sites where sites.site_id = open.site_id), 'UTC')"


class Queues:
    """The queues of the newest published version."""

    def __init__(self, published: Path) -> None:
        self._published = published

    def waiting(self, queue: str, reviewer: Reviewer, given: Collection[str], most: int) -> tuple[list[Scene], int]:
        """At most so many scenes that wait for this reviewer, and how many wait in all.

        An answered event waits again while its reviewers disagree. `given` are keys that this reviewer has answered.
        The newest day comes first. Within a day each reviewer has an order of their own, so that two seldom meet.

        Raises:
            QueueUnreadable: the published marts cannot be read.
        """
        source = _SOURCES[queue]
        folder = self._published.resolve()
        with _reading() as connection:
            rows, answered, sites = (_files(folder, mart) for mart in (source.mart, source.answered, "sites"))
            if not rows:
                return [], 0
            done = (
                f"select {source.key} from read_parquet($answered) where not is_disputed union all " if answered else ""
            )
            found = connection.execute(
                f"""
                with scenes as (
                    select * from read_parquet($rows) where site_id = coalesce($site, site_id)
                ),
                named as (select {source.columns} from scenes),
                open as (
                    select * from named
                    where seen_at > (select max(seen_at) from named) - interval {NEWEST_DAYS} day
                        and key not in ({done if answered else ""}select unnest($given::varchar[]))
                )
                select open.*, {_ZONE.format(sites="read_parquet($sites)") if sites else "'UTC'"}, count(*) over ()
                from open
                order by seen_at::date desc, md5(key || $reviewer), key limit $most
                """,
                {
                    "rows": rows,
                    **({"answered": answered} if answered else {}),
                    **({"sites": sites} if sites else {}),
                    "site": reviewer.site_id,
                    "given": list(given),
                    "reviewer": reviewer.name,
                    "most": most,
                },
            ).fetchall()
        return [_scene(row[:-1]) for row in found], found[0][-1] if found else 0

    def find(self, queue: str, key: str, reviewer: Reviewer) -> Scene | None:
        """The scene of a key in a queue of this reviewer's site, answered or not; None if there is none.

        Raises:
            QueueUnreadable: the published marts cannot be read.
        """
        source = _SOURCES[queue]
        with _reading() as connection:
            rows = _files(self._published.resolve(), source.mart)
            if not rows:
                return None
            found = connection.execute(
                f"select {source.columns} from read_parquet($rows) "
                f"where {source.key} = $key and site_id = coalesce($site, site_id)",
                {"rows": rows, "key": key, "site": reviewer.site_id},
            ).fetchone()
        return _scene(found) if found else None


@contextmanager
def _reading() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory, in UTC. What fails within the block becomes one sentence."""
    try:
        with duckdb.connect(config={"threads": 1, "memory_limit": "512MB"}) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except (duckdb.Error, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise QueueUnreadable(f"The published marts cannot be read: {reason}") from error


def _files(folder: Path, mart: str) -> list[str]:
    """The Parquet files of a mart: one, those of its folder, or none where a version has no such mart."""
    path = folder / f"{mart}.parquet"
    if path.is_dir():
        return sorted(str(file) for file in path.rglob("*.parquet"))
    return [str(path)] if path.exists() else []


def _scene(row: tuple[object, ...]) -> Scene:
    key, site_id, at, *others = row
    assert isinstance(at, datetime)
    return Scene(key, site_id, at.astimezone(UTC), *others)  # type: ignore[arg-type]
