"""Computes shift windows independently of the warehouse, so that its windows can be compared with these."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from simulator.draws import Integers
from simulator.fleet import Site


@dataclass(frozen=True)
class Windows:
    """Scheduled windows of one site, ordered by start (ms since 1970). `shift` is a position in `Site.shifts`."""

    shift: Integers
    shift_date: npt.NDArray[np.datetime64]
    started_ms: Integers
    ended_ms: Integers


def shift_windows(site: Site, start: date, days: int) -> Windows:
    """Every window that can touch the simulated days, with extra local dates on both sides."""
    zone = ZoneInfo(site.timezone)
    rows = sorted(
        (_instant_ms(day, shift.start_local, zone), number, day)
        for day in (start + timedelta(days=step) for step in range(-2, days + 2))
        for number, shift in enumerate(site.shifts)
    )
    started = np.array([row[0] for row in rows], dtype=np.int64)
    shift = np.array([row[1] for row in rows], dtype=np.int64)
    minutes = np.array([one.duration_minutes for one in site.shifts], dtype=np.int64)
    return Windows(
        shift=shift,
        shift_date=np.array([row[2] for row in rows], dtype="datetime64[D]"),
        started_ms=started,
        ended_ms=started + minutes[shift] * 60_000,
    )


def _instant_ms(day: date, start_local: str, zone: ZoneInfo) -> int:
    # fold=0 implements both rules of the contract: of two instants the first counts, and a skipped time moves forward
    # by the gap.
    local = datetime.combine(day, time.fromisoformat(start_local), tzinfo=zone)
    return int(local.astimezone(UTC).timestamp()) * 1000
