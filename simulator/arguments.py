"""The arguments of a simulation and their validation. Draws and writes nothing."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ingestion.errors import SettingsError

DEFAULT_START = date(2026, 10, 19)  # within 30 days, summer time ends on both sides of the Atlantic
MINUTES_PER_HOUR = 60


@dataclass(frozen=True)
class Arguments:
    """The arguments of one simulation. The defaults are the demo plant.

    Raises:
        SettingsError: an argument is not allowed.
    """

    landing: Path
    truth: Path
    sites: int = 2
    cameras: int = 12
    workers: int = 40
    days: int = 30
    start: date = DEFAULT_START
    seed: int = 7
    objects_per_camera_hour: int = 1
    until: datetime | None = None  # files that arrive later have not been sent yet

    def __post_init__(self) -> None:
        for name in ("sites", "days", "objects_per_camera_hour"):
            if getattr(self, name) < 1:
                raise SettingsError(f"--{name.replace('_', '-')} is {getattr(self, name)}, allowed: 1 or more.")
        for name in ("cameras", "workers"):
            if getattr(self, name) < self.sites:
                raise SettingsError(f"--{name} is {getattr(self, name)}, allowed: {self.sites} or more.")
        if self.seed < 0:
            raise SettingsError(f"--seed is {self.seed}, allowed: 0 or more.")
        if MINUTES_PER_HOUR % self.objects_per_camera_hour:
            raise SettingsError(
                f"--objects-per-camera-hour is {self.objects_per_camera_hour}, allowed: a divisor of 60."
            )
        if self.until is not None and self.until.tzinfo is None:
            raise SettingsError(f"--until {self.until} has no UTC offset.")
        landing, truth = self.landing.resolve(), self.truth.resolve()
        if landing.is_relative_to(truth) or truth.is_relative_to(landing):
            raise SettingsError(f"--truth ({self.truth}) must lie outside the bucket (--landing {self.landing}).")

    @property
    def begins_ms(self) -> int:
        """The first instant of the simulation, in milliseconds since 1970 (UTC midnight of `start`)."""
        return _epoch_ms(self.start)

    @property
    def ends_ms(self) -> int:
        """The first instant after the simulation, in milliseconds since 1970. Every event is earlier."""
        return _epoch_ms(self.start + timedelta(days=self.days))

    @property
    def until_ms(self) -> int | None:
        """The last instant at which a file may arrive, in milliseconds since 1970; None means no limit."""
        return None if self.until is None else int(self.until.timestamp() * 1000)

    @property
    def slot_ms(self) -> int:
        """The period that one object of a camera covers, in milliseconds."""
        return MINUTES_PER_HOUR * 60_000 // self.objects_per_camera_hour


def _epoch_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
