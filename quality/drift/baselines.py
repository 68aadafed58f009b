"""A site's expected event mix: the default, the plant's own, or that of a past period."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ingestion.contract.events import EVENT_TYPES

DEFAULT_MIX = (0.70, 0.20, 0.05, 0.05)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The expected shares of `EVENT_TYPES`, and a phrase for their origin."""

    shares: tuple[float, ...] = DEFAULT_MIX
    origin: str = "the default baseline"

    @property
    def by_type(self) -> dict[str, float]:
        """The share of each type."""
        return dict(zip(EVENT_TYPES, self.shares, strict=True))


def resolve(
    site: str, rows: Sequence[Mapping[str, object]], counts: Callable[[str, date, date], Sequence[int]]
) -> Baseline:
    """A site's baseline: its own row of baselines.csv, otherwise the row of `*`, otherwise the default.

    `counts` returns a site's events by type in a row's reference period. If the period has no events, the default
    applies, and the baseline's origin says so.
    """
    row = next((row for wanted in (site, "*") for row in rows if row["site_id"] == wanted), None)
    if row is None:
        return Baseline()
    first, last = row["reference_from"], row["reference_to"]
    if isinstance(first, date) and isinstance(last, date):
        seen = counts(site, first, last)
        total = sum(seen)
        if total == 0:
            return Baseline(origin=f"the default baseline (no events from {first} to {last})")
        return Baseline(tuple(count / total for count in seen), f"the period from {first} to {last}")
    return Baseline(tuple(float(str(row[kind])) for kind in EVENT_TYPES), "baselines.csv")
