"""Contract §4 and §8 as values: registry rows and settings, and the CSV files with the same content.

Nothing is validated here. Tests of wrong registry files write them by hand.
"""

import csv
import io
from dataclasses import dataclass, field
from datetime import date, time


@dataclass(frozen=True)
class Shift:
    """One row of shifts.csv. `site_id` may be `*`; the valid dates are inclusive."""

    site_id: str
    shift_id: str
    start_local: time
    duration_minutes: int
    valid_from: date | None = None
    valid_to: date | None = None
    weekdays: tuple[str, ...] = ()  # empty: every day

    def is_valid_on(self, day: date) -> bool:
        is_on = not self.weekdays or day.strftime("%a").lower() in self.weekdays
        return is_on and (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


@dataclass(frozen=True)
class Target:
    """One row of targets.csv. `shift_id` may be `*`; the valid dates are inclusive."""

    site_id: str
    workstation_id: str
    shift_id: str
    units_per_hour: float
    valid_from: date | None = None
    valid_to: date | None = None
    weekdays: tuple[str, ...] = ()  # empty: every day

    def is_valid_on(self, day: date) -> bool:
        is_on = not self.weekdays or day.strftime("%a").lower() in self.weekdays
        return is_on and (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


@dataclass(frozen=True)
class CameraRow:
    """One row of cameras.csv. `workstation_id` may be `*`; the valid dates are local and inclusive."""

    site_id: str
    camera_id: str
    workstation_id: str
    counts: bool = True
    states: bool = True
    valid_from: date | None = None
    valid_to: date | None = None

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


DEFAULT_SHIFTS = (
    Shift("*", "day", time(6), 480),
    Shift("*", "evening", time(14), 480),
    Shift("*", "night", time(22), 480),
)


@dataclass(frozen=True)
class Registry:
    """The plant's registry: each dictionary by its key, with names and types as shown."""

    sites: dict[str, tuple[str, str]] = field(default_factory=dict)  # site_id: name, timezone
    shifts: tuple[Shift, ...] = ()
    workers: dict[tuple[str, str], str] = field(default_factory=dict)  # site_id, worker_id: name
    workstations: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # …: name, station_type, line
    targets: tuple[Target, ...] = ()
    closures: tuple[tuple[str, date, date], ...] = ()  # site_id or `*`, first and last date
    cameras: tuple[CameraRow, ...] = ()
    booked: dict[tuple[str, str, date, str], int] = field(default_factory=dict)  # site, station or `*`, date, shift
    released: dict[tuple[str, str], str] | None = None  # site, station or `*`: role; None without a file

    def timezone_of(self, site_id: str) -> str:
        return self.sites[site_id][1] if site_id in self.sites else "UTC"

    def is_closed(self, site_id: str, day: date) -> bool:
        return any(site in (site_id, "*") and first <= day <= last for site, first, last in self.closures)

    def shifts_of(self, site_id: str) -> tuple[Shift, ...]:
        """The site's own shifts; without any, those of `*`; without any, the three default shifts."""
        own = tuple(shift for shift in self.shifts if shift.site_id == site_id)
        common = tuple(shift for shift in self.shifts if shift.site_id == "*")
        return own or common or DEFAULT_SHIFTS

    @classmethod
    def from_files(cls, files: dict[str, str]) -> "Registry":
        """The registry of well-formed files, given by their keys in the bucket. The last row of a key wins."""

        def rows(name: str) -> list[dict[str, str]]:
            text = files.get(f"registry/{name}.csv", "").removeprefix("\ufeff")
            return [
                {**row, "site_id": row["site_id"].strip(" ") or "default"} for row in csv.DictReader(io.StringIO(text))
            ]

        shifts = {
            (row["site_id"], row["shift_id"], row.get("valid_from"), row.get("weekdays")): Shift(
                row["site_id"],
                row["shift_id"],
                time.fromisoformat(row["start_local"]),
                int(row["duration_minutes"]),
                date.fromisoformat(row["valid_from"]) if row.get("valid_from") else None,
                date.fromisoformat(row["valid_to"]) if row.get("valid_to") else None,
                tuple((row.get("weekdays") or "").split()),
            )
            for row in rows("shifts")
        }
        return cls(
            {row["site_id"]: (row["name"], row["timezone"]) for row in rows("sites")},
            tuple(shifts.values()),
            {(row["site_id"], row["worker_id"]): row["name"] for row in rows("workers")},
            {
                (row["site_id"], row["workstation_id"]): (row["name"], row["station_type"])
                for row in rows("workstations")
            },
            tuple(
                Target(
                    row["site_id"],
                    row["workstation_id"],
                    row["shift_id"],
                    float(row["units_per_hour"]),
                    date.fromisoformat(row["valid_from"]) if row.get("valid_from") else None,
                    date.fromisoformat(row["valid_to"]) if row.get("valid_to") else None,
                    tuple((row.get("weekdays") or "").split()),
                )
                for row in rows("targets")
            ),
            tuple(
                (row["site_id"], date.fromisoformat(row["from_date"]), date.fromisoformat(row["to_date"]))
                for row in rows("closures")
            ),
            tuple(
                CameraRow(
                    row["site_id"],
                    row["camera_id"],
                    row["workstation_id"] or "*",
                    row["counts"] != "no",
                    row["states"] != "no",
                    date.fromisoformat(row["valid_from"]) if row.get("valid_from") else None,
                    date.fromisoformat(row["valid_to"]) if row.get("valid_to") else None,
                )
                for row in rows("cameras")
            ),
            {
                (
                    row["site_id"],
                    row["workstation_id"] or "*",
                    date.fromisoformat(row["shift_date"]),
                    row["shift_id"],
                ): int(row["units"])
                for row in rows("booked")
            },
            {(row["site_id"], row["workstation_id"] or "*"): row["who"] for row in rows("released")}
            if "registry/released.csv" in files
            else None,
        )

    def files(self) -> dict[str, str]:
        """The registry files, by their keys in the bucket."""
        return {
            "registry/sites.csv": csv_text(
                "site_id,name,timezone", [(site, name, zone) for site, (name, zone) in self.sites.items()]
            ),
            "registry/shifts.csv": csv_text(
                "site_id,shift_id,start_local,duration_minutes,valid_from,valid_to,weekdays",
                [
                    (
                        shift.site_id,
                        shift.shift_id,
                        shift.start_local.strftime("%H:%M"),
                        shift.duration_minutes,
                        shift.valid_from or "",
                        shift.valid_to or "",
                        " ".join(shift.weekdays),
                    )
                    for shift in self.shifts
                ],
            ),
            "registry/workers.csv": csv_text(
                "site_id,worker_id,name", [(*key, name) for key, name in self.workers.items()]
            ),
            "registry/workstations.csv": csv_text(
                "site_id,workstation_id,name,station_type,line",
                [(*key, *row, *[""] * (3 - len(row))) for key, row in self.workstations.items()],
            ),
            "registry/targets.csv": csv_text(
                "site_id,workstation_id,shift_id,units_per_hour,valid_from,valid_to,weekdays",
                [
                    (
                        target.site_id,
                        target.workstation_id,
                        target.shift_id,
                        f"{target.units_per_hour:.6f}",
                        target.valid_from or "",
                        target.valid_to or "",
                        " ".join(target.weekdays),
                    )
                    for target in self.targets
                ],
            ),
            "registry/closures.csv": csv_text(
                "site_id,from_date,to_date,reason", [(*closure, "Holidays") for closure in self.closures]
            ),
            "registry/cameras.csv": csv_text(
                "site_id,camera_id,workstation_id,counts,states,valid_from,valid_to",
                [
                    (
                        row.site_id,
                        row.camera_id,
                        row.workstation_id,
                        "yes" if row.counts else "no",
                        "yes" if row.states else "no",
                        row.valid_from or "",
                        row.valid_to or "",
                    )
                    for row in self.cameras
                ],
            ),
            "registry/booked.csv": csv_text(
                "site_id,workstation_id,shift_date,shift_id,units",
                [(*key, units) for key, units in self.booked.items()],
            ),
            **(
                {}
                if self.released is None
                else {
                    "registry/released.csv": csv_text(
                        "site_id,workstation_id,who", [(*key, who) for key, who in self.released.items()]
                    )
                }
            ),
        }


@dataclass(frozen=True)
class Settings:
    """The two settings of contract §8 that change numbers; minutes."""

    last_event_minutes: float = 30
    max_state_minutes: float | None = None


def csv_text(header: str, rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return text.getvalue()
