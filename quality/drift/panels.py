"""Reads the daily aggregates for drift from the marts as panels. Judges nothing and reads no single events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
from numpy.typing import NDArray

from ingestion.contract.events import EVENT_TYPES
from quality.checks.closures import closed_days
from quality.drift import reference
from quality.drift.distances import BINS

Floats = NDArray[np.float64]

# Days judged in every batch: late events change their figures, and an incident needs several days.
JUDGED_DAYS = 30
HISTORY_DAYS = reference.REFERENCE_DAYS + reference.GAP_DAYS + reference.WINDOW_DAYS - 1

Camera = tuple[str, str]
Model = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Panels:
    """Daily aggregates. `days` has no gaps, oldest first. The last `judged_days` are judged; the others are reference.

    `cameras` (site, camera) are the rows of `events`, `mean`, `mix` (…, types), `histograms` (…, bins), `version`,
    `coverage` and `late_share`. `version` is an index into `versions` (site, model, version): the version that most
    events of the day came from, -1 for none. `models` (site, camera, model, version) are the rows of `model_events` and
    `model_mean`. `coverage` and `late_share` come from `camera_days`. NaN is a day without events, or without scheduled
    time. `closed` (site, day) contains the days closed by the registry.
    """

    judged_at: datetime
    days: list[date]
    judged_days: int
    cameras: list[Camera]
    events: Floats
    mean: Floats
    mix: Floats
    histograms: Floats
    version: NDArray[np.int64]
    versions: list[tuple[str, str, str]]
    models: list[Model]
    model_events: Floats
    model_mean: Floats
    coverage: Floats
    late_share: Floats
    sites: list[str] = field(default_factory=list)
    closed: frozenset[tuple[str, date]] = frozenset()

    def on_open_days(self, values: Floats) -> Floats:
        """Values of the cameras' days, NaN on days when the camera's site is closed."""
        if not self.closed:
            return values
        shut = [[(site, day) in self.closed for day in self.days] for site, _ in self.cameras]
        opened: Floats = np.where(np.array(shut, dtype=bool).reshape(values.shape), np.nan, values)
        return opened

    def only(self, first: int, judged: slice) -> Panels:
        """The panels of the columns from `first` to the end of `judged`, with the days of `judged` as judged days."""
        cut = slice(first, judged.stop)
        of_days = {
            name: getattr(self, name)[:, cut]
            for name in (
                *("events", "mean", "mix", "histograms", "version", "model_events", "model_mean"),
                *("coverage", "late_share"),
            )
        }
        return replace(self, days=self.days[cut], judged_days=judged.stop - judged.start, **of_days)

    @property
    def weekdays(self) -> NDArray[np.int64]:
        """0 (Monday) to 6 for each day."""
        return np.array([day.weekday() for day in self.days], dtype=np.int64)

    @property
    def first_judged(self) -> int:
        """The index of the first judged day."""
        return len(self.days) - self.judged_days

    def site_numbers(self, cells: list[Camera] | list[Model]) -> NDArray[np.int64]:
        """Each cell's site as an index into `sites`."""
        place = {site: number for number, site in enumerate(self.sites)}
        return np.array([place[cell[0]] for cell in cells], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Span:
    """The newest landing, and the oldest and the newest complete UTC day with events."""

    judged_at: datetime
    oldest: date
    newest: date


def read_span(connection: duckdb.DuckDBPyConnection) -> Span | None:
    """The days that can be judged; None if no day is complete yet.

    A day is complete when something has landed after its end; an incomplete day cannot be compared with others. The
    connection's search path contains the marts.
    """
    found = connection.execute(
        "select (select max(landed_at) from landed_objects), (select min(event_date) from model_days)"
    ).fetchone()
    judged_at, oldest = found or (None, None)
    if judged_at is None or oldest is None:
        return None
    newest = connection.execute(
        "select max(event_date) from model_days where event_date < ?", [judged_at.astimezone(UTC).date()]
    ).fetchone()
    return Span(judged_at, oldest, newest[0]) if newest and newest[0] else None


def read_panels(
    connection: duckdb.DuckDBPyConnection,
    span: Span,
    judged: tuple[date, date],
    frozen: Mapping[Camera, date] | None = None,
) -> Panels:
    """The panels for judging the days from the first to the last of `judged`, with the reference before them.

    `frozen` maps a camera, or a site (without a camera), to the first day of its frozen reference, which is read too,
    however old it is. Cameras that sent nothing in the usual time have no results and are left out.
    """
    usual, last = max(span.oldest, judged[0] - timedelta(days=HISTORY_DAYS)), judged[1]
    connection.execute(
        "create or replace temp table heard_cameras as "
        "select distinct site_id, camera_id from model_days where event_date between $usual::date and $last::date",
        {"usual": usual, "last": last},
    )
    heard = set(connection.execute("from heard_cameras").fetchall())
    heard |= {(site, "") for site, _ in heard}
    frozen = {key: since for key, since in (frozen or {}).items() if key in heard}
    first = max(span.oldest, min([usual, *frozen.values()]))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    rows = connection.execute(
        f"""
        select site_id, camera_id, model_name, model_version, event_date - $first as day, event_count, mean_confidence,
            {", ".join(f"{kind}_events" for kind in EVENT_TYPES)}
        from model_days semi join heard_cameras using (site_id, camera_id)
        where event_date between $first and $last
        order by site_id, camera_id, model_name, model_version, event_date
        """,
        {"first": first, "last": last},
    ).fetchall()
    connection.execute("create or replace temp table frozen_cameras (site_id varchar, camera_id varchar, since date)")
    if frozen:
        connection.executemany(
            "insert into frozen_cameras values (?, ?, ?)", [(*key, at) for key, at in frozen.items()]
        )
    bins = connection.execute(
        """
        select site_id, camera_id, event_date - $first as day, bin, sum(event_count)
        from confidence_histograms
        semi join heard_cameras using (site_id, camera_id)
        left join frozen_cameras using (site_id, camera_id)
        where event_date between coalesce(least(since, $usual::date), $usual::date) and $last
        group by all
        """,
        {"first": first, "usual": usual, "last": last},
    ).fetchall()
    watched = connection.execute(
        """
        select site_id, camera_id, event_date - $first as day, coverage, late_share
        from camera_days where event_date between $first and $last
        """,
        {"first": first, "last": last},
    ).fetchall()
    panels = _panels(span.judged_at, days, (last - judged[0]).days + 1, rows, bins, watched)
    return replace(panels, closed=frozenset(closed_days(connection, panels.sites, days)))


def _panels(
    judged_at: datetime,
    days: list[date],
    judged_days: int,
    rows: list[tuple[object, ...]],
    bins: list[tuple[object, ...]],
    watched: list[tuple[object, ...]],
) -> Panels:
    cameras = sorted({(str(row[0]), str(row[1])) for row in rows})
    models = sorted({(str(row[0]), str(row[1]), str(row[2]), str(row[3])) for row in rows})
    versions = sorted({(site, name, version) for site, _, name, version in models})
    camera_place = {camera: place for place, camera in enumerate(cameras)}
    model_place = {model: place for place, model in enumerate(models)}
    version_place = {version: place for place, version in enumerate(versions)}
    total = len(days)
    events, sums = np.zeros((len(cameras), total)), np.zeros((len(cameras), total))
    mix = np.zeros((len(cameras), total, len(EVENT_TYPES)))
    histograms = np.zeros((len(cameras), total, BINS))
    version, most = np.full((len(cameras), total), -1, dtype=np.int64), np.zeros((len(cameras), total))
    model_events, model_mean = np.zeros((len(models), total)), np.full((len(models), total), np.nan)
    for site, camera, name, number, day, count, mean, *kinds in rows:
        at, model_at = camera_place[str(site), str(camera)], model_place[str(site), str(camera), str(name), str(number)]
        day_at, n, value = int(str(day)), float(str(count)), float(str(mean))
        events[at, day_at] += n
        sums[at, day_at] += n * value
        mix[at, day_at] += np.array(kinds, dtype=np.float64)
        model_events[model_at, day_at], model_mean[model_at, day_at] = n, value
        if n > most[at, day_at]:
            most[at, day_at], version[at, day_at] = n, version_place[str(site), str(name), str(number)]
    for site, camera, day, place, count in bins:
        histograms[camera_place[str(site), str(camera)], int(str(day)), int(str(place))] = float(str(count))
    coverage, late_share = np.full(events.shape, np.nan), np.full(events.shape, np.nan)
    for site, camera, day, covered, late in watched:
        if (str(site), str(camera)) in camera_place:
            at, day_at = camera_place[str(site), str(camera)], int(str(day))
            coverage[at, day_at] = np.nan if covered is None else float(str(covered))
            late_share[at, day_at] = np.nan if late is None else float(str(late))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_confidence = sums / np.where(events > 0, events, np.nan)
    return Panels(
        judged_at=judged_at,
        days=days,
        judged_days=judged_days,
        cameras=cameras,
        events=events,
        mean=mean_confidence,
        mix=mix,
        histograms=histograms,
        version=version,
        versions=versions,
        models=models,
        model_events=model_events,
        model_mean=model_mean,
        coverage=coverage,
        late_share=late_share,
        sites=sorted({site for site, _ in cameras}),
    )
