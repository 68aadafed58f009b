"""A plant's daily aggregates in a separate warehouse, for tests of judging: days of cameras, no events.

Days are drawn as in a real plant: each has its own level, weekends are quieter, and faults shift a camera's confidence
for some days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.registry.files import FILES, sql_columns, table_of
from ingestion.settings import Settings
from quality import store
from quality.drift.baselines import Baseline
from quality.incidents.incident import Incident, settle
from quality.judged_days import judge_days, told_at

FIRST = date(2026, 1, 5)
BINS = 50


def day(number: int) -> date:
    """The day with this number; the first day is 0."""
    return FIRST + timedelta(days=number)


@dataclass(frozen=True)
class Fault:
    """A camera's mean confidence moves by `shift` from the first day up to, but without, the last one."""

    camera: int
    first: int
    until: int
    shift: float = -0.10


@dataclass
class JudgedPlant:
    """One site's cameras. `land_until` lands days; `judge` judges them as a batch does."""

    cameras: int = 4
    seed: int = 7
    faults: tuple[Fault, ...] = ()
    versions: tuple[tuple[int, str], ...] = ((0, "1"),)
    settings: Settings = field(default_factory=Settings)
    known: list[Incident] = field(default_factory=list)
    landed: int = 0

    def __post_init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'; create schema raw; create schema handover; create schema marts")
        self.connection.execute("set search_path = 'marts'")
        store.make_tables(self.connection)
        for name, file in FILES.items():
            self.connection.execute(f"create table raw.{table_of(name)} ({sql_columns(file)})")
        self.connection.execute(
            """
            create table marts.landed_objects (landed_at timestamptz);
            create table marts.model_days (
                site_id varchar, event_date date, camera_id varchar, model_name varchar, model_version varchar,
                event_count bigint, mean_confidence double, working_events bigint, idle_events bigint,
                absent_events bigint, product_count_events bigint);
            create table marts.confidence_histograms (
                site_id varchar, event_date date, camera_id varchar, bin integer, event_count bigint);
            create table marts.camera_days (
                site_id varchar, event_date date, camera_id varchar, coverage double, late_share double,
                clock_offset_seconds double, event_count bigint, station_events bigint);
            create table handover.int_count_days (
                site_id varchar, event_date date, camera_id varchar, is_reading boolean, rise_count bigint,
                fall_count bigint, record_count bigint, repeat_count bigint, is_whole_seconds boolean,
                most_units bigint, usual_units double);
            create table handover.int_labelled_events (
                site_id varchar, event_key varchar, event_date date, event_type varchar, model_name varchar,
                model_version varchar, true_event_type varchar, is_disputed boolean, is_correct boolean,
                is_sampled boolean);
            create table handover.int_shift_windows (
                site_id varchar, shift_date date, started_at timestamptz, ended_at timestamptz)
            """
        )

    def land_until(self, number: int) -> None:
        """Land the days up to this one. The landing is on the morning after it."""
        self.put_days(range(self.landed, number + 1))
        self.landed = max(self.landed, number + 1)
        landed_at = datetime.combine(day(number + 1), datetime.min.time(), UTC) + timedelta(hours=1)
        self.connection.execute("insert into marts.landed_objects values (?)", [landed_at])

    def put_days(self, numbers: Sequence[int], shift: float = 0.0) -> None:
        """Write days of every camera. A day is the same at every call, except for `shift`."""
        rows: dict[str, list[tuple[object, ...]]] = {"model_days": [], "confidence_histograms": [], "camera_days": []}
        for at in numbers:
            random = np.random.default_rng([self.seed, at])
            version = [name for since, name in self.versions if since <= at][-1]
            light = random.normal(0, 0.006)
            for camera in range(self.cameras):
                moved = sum(one.shift for one in self.faults if one.camera == camera and one.first <= at < one.until)
                count = int(random.integers(500, 700) * (0.7 if day(at).weekday() >= 5 else 1))
                level = 0.91 + light + random.normal(0, 0.006) + moved + shift
                values = np.clip(random.beta(level * 12, (1 - level) * 12, count), 0, 0.9999)
                mix = random.multinomial(count, random.dirichlet(np.array([0.70, 0.20, 0.05, 0.05]) * 900)).tolist()
                names = ("north", day(at), f"cam-{camera}")
                rows["model_days"].append((*names, "eye", version, count, float(values.mean()), *mix))
                bins, counts = np.unique((values * BINS).astype(int), return_counts=True)
                rows["confidence_histograms"] += [
                    (*names, *each) for each in zip(bins.tolist(), counts.tolist(), strict=True)
                ]
                rows["camera_days"].append((*names, 0.97, 0.01, -1.0, count, 0))
        for table, written in rows.items():
            columns = list(zip(*written, strict=True))
            names_of = [f"c{number}" for number in range(len(columns))]
            self.connection.register("new_rows", pa.table([list(column) for column in columns], names=names_of))
            self.connection.execute(f"delete from marts.{table} where event_date in (select c1 from new_rows)")
            self.connection.execute(f"insert into marts.{table} from new_rows")
            self.connection.unregister("new_rows")

    def accept(self, camera: str, from_day: int, metric: str = "confidence_drift", who: str = "shift lead") -> None:
        """Add a row of accepted.csv."""
        self.connection.execute(
            "insert into raw.accepted values ('north', ?, ?, ?, ?, 'New lamps.')", [camera, metric, day(from_day), who]
        )

    def label_day(self, at: int, version: str, labelled: int, correct: int) -> None:
        """Add labels of the review sample."""
        self.connection.execute(
            """
            insert into handover.int_labelled_events
            select 'north', concat($day::varchar, n), $day, 'idle', 'eye', $version, 'idle', false, n < $correct, true
            from range($labelled) as numbers (n)
            """,
            {"day": day(at), "version": version, "labelled": labelled, "correct": correct},
        )

    def judge(self) -> list[Incident]:
        """Judge as a batch does, and return the incidents of the mart."""
        judged_at = self.connection.execute("select max(landed_at) from marts.landed_objects").fetchone()
        assert judged_at is not None
        judged = judge_days(self.connection, self.settings, {"north": Baseline()}, store.RESULT_DAYS)
        assert judged is not None
        self.results = judged.results
        self.walked = (judged.last - judged.first).days + 1
        told = told_at(self.connection, judged_at[0])
        self.known = settle(self.known, judged.spells, (judged.first, judged.last), judged_at[0], told)
        judged.remember(self.connection)
        return self.known

    def rebuilt(self) -> list[Incident]:
        """The incidents of the same data in a warehouse without earlier incidents."""
        self.connection.execute("drop table if exists raw.judged_days; drop table if exists raw.judging_states")
        self.known = []
        return self.judge()
