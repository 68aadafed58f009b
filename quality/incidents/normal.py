"""Decides when a changed level counts as normal: by a row of accepted.csv or a version's labels (contract §6). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from quality.checks.results import Cell

# A row accepts a change whose evidence begins at most this long after the row's date.
SLACK = timedelta(days=30)
# A change belongs to a version that began at most this long before its first evidence.
OF_A_VERSION = timedelta(days=14)
# The metrics that a new version of a model moves.
OF_MODELS = frozenset({"confidence_drift", "event_mix_drift"})
SMALLEST_LABELLED_DAY = 5


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """A row of registry/accepted.csv. An empty camera means every camera of the site."""

    site_id: str
    camera_id: str
    metric: str
    from_date: date
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class LabelledDay:
    """A version's labelled events of the review sample on one UTC date of a site."""

    event_date: date
    labelled: int
    correct: int


@dataclass(frozen=True, slots=True)
class VersionHistory:
    """The date on which a version began at a site, and its labelled days in order."""

    began_on: date
    days: Sequence[LabelledDay] = ()


@dataclass(frozen=True, slots=True)
class Normal:
    """A level that counts as normal from a date on, who or what accepted it, and why."""

    from_date: date
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The inputs that can accept a change: the registry's rows, and versions by (site, model, version).

    A version's level becomes normal after `clean_days` consecutive labelled days, each with a share of correct events
    of at least `accuracy`. With `clean_days` 0 it never does.
    """

    rows: Sequence[AcceptedRow] = ()
    versions: Mapping[tuple[str, str, str], VersionHistory] = field(default_factory=dict)
    clean_days: int = 0
    accuracy: float = 0.9

    def accepted(
        self, metric: str, cell: Cell, version: Cell | None, first: date, day: date, before: date | None = None
    ) -> Normal | None:
        """The acceptance of a change of a cell with evidence since `first`, as of `day`; None if it is not accepted.

        `version` is the model version that runs there. `before` is the date of the cell's last acceptance: an
        acceptance up to that date does not accept a second change.
        """
        normal = self._by_row(metric, cell, first, day) or self._by_version(metric, version, first, day)
        return normal if normal is not None and normal.from_date > (before or date.min) else None

    def _by_row(self, metric: str, cell: Cell, first: date, day: date) -> Normal | None:
        rows = [
            row
            for row in self.rows
            if row.metric == metric
            and row.site_id == cell.site_id
            and row.camera_id in ("", cell.camera_id)
            and first - SLACK <= row.from_date <= day
        ]
        row = max(rows, key=lambda row: (row.from_date, row.camera_id), default=None)
        return None if row is None else Normal(row.from_date, row.who, row.reason)

    def _by_version(self, metric: str, version: Cell | None, first: date, day: date) -> Normal | None:
        if metric not in OF_MODELS or version is None or not self.clean_days:
            return None
        history = self.versions.get((version.site_id, version.model_name, version.model_version))
        if history is None or not timedelta(0) <= first - history.began_on <= OF_A_VERSION:
            return None
        clean = 0
        for each in history.days:
            if first <= each.event_date <= day and each.labelled >= SMALLEST_LABELLED_DAY:
                clean = clean + 1 if each.correct >= self.accuracy * each.labelled else 0
        if clean < self.clean_days:
            return None
        reason = f"{clean} labelled days in a row agree with it."
        return Normal(history.began_on, f"version {version.model_version}'s own baseline", reason)
