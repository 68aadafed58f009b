"""The contract's rules about windows, intervals and marts as small examples: a few events, and the expected rows.

Every example has its own site, so that many share one batch. The date is 14 January 2026, a Wednesday, in UTC, and the
shifts are `day` 06:00-14:00, `late` 14:00-22:00, `night` 22:00-06:00, unless an example says otherwise.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

from tests.reference.plant import Registry, Shift, Target

Row = dict[str, Any]
DAY = date(2026, 1, 14)
LONG_AFTER = "2026-12-01T00:00:00Z"
USUAL = {"day": ("06:00", 480), "late": ("14:00", 480), "night": ("22:00", 480)}
OVERLAP = USUAL | {"day": ("06:00", 510)}
GAP = USUAL | {"day": ("06:00", 475)}
_EVENT = re.compile(
    r"(?:(?P<who>\S+)@(?P<station>[^\s/]+)(?:/(?P<camera>\S+))? )?(?:(?P<day>\d+)th )?(?P<clock>\d\d:\d\d(?::\d\d)?) "
    r"(?P<type>\w+)(?: (?P<count>\d+))?"
)


@dataclass(frozen=True)
class Example:
    """Events as `W1@S1 13:50 working; 14:10 idle`, and by mart the rows that must be there, `rows` of them in all.

    A row of state_intervals may be written as `day working 13:50-14:00 window_end`. `-@S1` is the station itself.
    """

    name: str
    events: str
    expected: dict[str, list[Any]]
    shifts: dict[str, tuple[str, int]] = field(default_factory=lambda: USUAL)
    zone: str = "UTC"
    targets: tuple[tuple[str, str, float], ...] = ()  # workstation, shift, units per hour
    max_state_minutes: float | None = None
    now: str = LONG_AFTER

    @property
    def site_id(self) -> str:
        return re.sub(r"\W+", "-", self.name)

    @property
    def registry(self) -> Registry:
        shifts = tuple(
            Shift(self.site_id, shift_id, time.fromisoformat(start), minutes)
            for shift_id, (start, minutes) in self.shifts.items()
        )
        targets = tuple(Target(self.site_id, station, shift, rate) for station, shift, rate in self.targets)
        return Registry({self.site_id: (self.name, self.zone)}, shifts, targets=targets)

    def lines(self) -> Iterator[str]:
        """The records in the form that a camera writes."""
        who = station = camera = ""
        for text in self.events.split(";"):
            found = _EVENT.fullmatch(text.strip())
            assert found, text
            if found["who"]:
                who, station, camera = found["who"], found["station"], found["camera"] or "C1"
            at = datetime.combine(
                DAY.replace(day=int(found["day"] or DAY.day)), time.fromisoformat(found["clock"]), UTC
            )
            is_count = found["type"] == "count"
            record: Row = {
                "site_id": self.site_id,
                "timestamp": at.isoformat().replace("+00:00", "Z"),
                "worker_id": None if who == "-" else who,
                "workstation_id": station,
                "camera_id": camera,
                "event_type": "product_count" if is_count else found["type"],
                "confidence": 0.9,
            }
            if found["count"]:
                record["count"] = int(found["count"])
            yield json.dumps({name: value for name, value in record.items() if value is not None})

    def differences(self, marts: dict[str, list[Row]]) -> list[str]:
        """The differences in the rows of this example's site, one sentence each."""
        wrong = []
        for mart, expected in self.expected.items():
            own = [row for row in marts[mart] if row["site_id"] == self.site_id]
            if mart == "state_intervals":
                shown = [_interval(row) for row in own if row["seconds"]]
                if sorted(shown) != sorted(expected):
                    wrong.append(f"state_intervals are {sorted(shown)}")
                continue
            for row in expected:
                if not any(all(_same(other[name], value) for name, value in row.items()) for other in own):
                    near = [{name: other[name] for name in row} for other in own]
                    wrong.append(f"{mart} has no row {row} but {near}")
        return wrong


def _interval(row: Row) -> str:
    start, end = (f"{row[name]:%H:%M}" for name in ("started_at", "ended_at"))
    return f"{row['shift_id']} {row['state']} {start}-{end} {row['end_reason']}"


def _same(value: Any, expected: Any) -> bool:
    if isinstance(expected, str) and isinstance(value, datetime):
        return f"{value:%H:%M}" == expected
    if isinstance(expected, float) and isinstance(value, float):
        return abs(value - expected) <= 1e-12 * max(1.0, abs(expected))
    return bool(value == expected)


EXAMPLES = [
    Example(
        "14 early arrival",
        "W1@S1 13:55 working; 14:10 idle",
        {"state_intervals": ["day working 13:55-14:10 next_event", "late idle 14:10-14:40 assumed"]},
        OVERLAP,
    ),
    Example(
        "15 a late-comer",
        "W1@S1 09:45 working; 14:10 count 3; 14:20 idle",
        {
            "state_intervals": ["day working 09:45-14:20 next_event", "day idle 14:20-14:30 window_end"],
            "worker_shifts": [{"shift_id": "day", "units": 3, "active_seconds": 16_500.0, "idle_seconds": 600.0}],
            "workstation_shifts": [
                {"shift_id": "day", "units": 0, "working_seconds": 15_300.0, "idle_seconds": 0.0},
                {"shift_id": "late", "units": 3, "working_seconds": 1200.0, "idle_seconds": 600.0},
            ],
        },
        OVERLAP,
        targets=(("S1", "*", 10.0),),
    ),
    Example(
        "15 of equally near windows the later start",
        "W1@S1 12:00 working; 14:10 working; 14:20 idle",
        {
            "state_intervals": [
                "day working 12:00-14:10 next_event",
                "late working 14:10-14:20 next_event",
                "late idle 14:20-14:50 assumed",
            ]
        },
        OVERLAP,
    ),
    Example(
        "16 a double shift",
        "W1@S1 06:00 working; 10:00 working; 14:20 idle; 14:40 working",
        {
            "state_intervals": [
                "day working 06:00-10:00 next_event",
                "day working 10:00-14:20 next_event",
                "day idle 14:20-14:30 window_end",
                "late idle 14:30-14:40 next_event",
                "late working 14:40-15:10 assumed",
            ]
        },
        OVERLAP,
    ),
    Example(
        "16 after a pause he arrives anew",
        "W1@S1 06:05 working; 07:00 working; 13:00 working; 14:10 idle",
        {
            "state_intervals": [
                "day working 06:05-07:00 next_event",
                "day working 07:00-13:00 next_event",
                "day working 13:00-14:10 next_event",
                "late idle 14:10-14:40 assumed",
            ]
        },
        OVERLAP,
    ),
    Example(
        "16 a pause of less than six hours is none",
        "W1@S1 06:05 working; 07:00 working; 12:59 working; 14:10 idle",
        {
            "state_intervals": [
                "day working 06:05-07:00 next_event",
                "day working 07:00-12:59 next_event",
                "day working 12:59-14:10 next_event",
                "day idle 14:10-14:30 window_end",
            ]
        },
        OVERLAP,
    ),
    *(
        Example(
            f"17 staggered shifts, arrived at {clock}",
            f"W1@S1 {clock} working; 09:00 idle",
            {"worker_shifts": [{"shift_id": shift_id, "idle_seconds": 1800.0}]},
            {"a": ("06:00", 480), "b": ("07:00", 480), "c": ("08:00", 480)},
        )
        for clock, shift_id in (("05:50", "a"), ("06:40", "a"), ("06:45", "b"), ("07:30", "b"), ("07:55", "c"))
    ),
    Example(
        "19 counts behind the last state",
        "W1@S1 13:00 working; 13:10 count; 13:20 count",
        {"state_intervals": ["day working 13:00-13:50 assumed"]},
    ),
    Example(
        "19 a count half an hour before the end",
        "W1@S1 13:00 working; 13:30 count",
        {"state_intervals": ["day working 13:00-14:00 assumed"]},
    ),
    Example(
        "19 a count nearer to the end",
        "W1@S1 13:00 working; 13:31 count",
        {"state_intervals": ["day working 13:00-14:00 window_end"]},
    ),
    Example(
        "21 exactly at the end",
        "W1@S1 13:45 working; 14:00 idle",
        {"state_intervals": ["day working 13:45-14:00 window_end", "late idle 14:00-14:30 assumed"]},
    ),
    Example(
        "22 one border",
        "W1@S1 13:50 working; 14:10 idle",
        {
            "state_intervals": [
                "day working 13:50-14:00 window_end",
                "late working 14:00-14:10 next_event",
                "late idle 14:10-14:40 assumed",
            ],
            "worker_shifts": [
                {"shift_id": "day", "observed_seconds": 600.0, "coverage": 600 / 28_800},
                {"shift_id": "late", "observed_seconds": 2400.0, "coverage": 2400 / 28_800},
            ],
        },
    ),
    Example(
        "23 two borders",
        "W1@S1 13:45 working; 14:10 idle",
        {
            "state_intervals": [
                "day working 13:45-13:55 window_end",
                "unscheduled working 13:55-14:00 window_end",
                "late working 14:00-14:10 next_event",
                "late idle 14:10-14:40 assumed",
            ],
            "worker_shifts": [
                {
                    "shift_id": "unscheduled",
                    "event_count": 0,
                    "active_seconds": 300.0,
                    "observed_seconds": 300.0,
                    "coverage": None,
                }
            ],
            "worker_station_shifts": [{"shift_id": "unscheduled", "first_event_at": None, "event_count": 0}],
            "site_shifts": [{"shift_id": "unscheduled", "worker_count": 1, "workstation_count": 1}],
        },
        GAP,
    ),
    Example(
        "24 thirty-one minutes are too long",
        "W1@S1 13:45 working; 14:16 idle",
        {
            "state_intervals": ["day working 13:45-14:00 window_end", "late idle 14:16-14:46 assumed"],
            "worker_shifts": [
                {"shift_id": "day", "observed_seconds": 900.0},
                {"shift_id": "late", "observed_seconds": 1800.0},
            ],
        },
    ),
    Example(
        "24 thirty minutes are not",
        "W1@S1 13:45 working; 14:15 idle",
        {
            "state_intervals": [
                "day working 13:45-14:00 window_end",
                "late working 14:00-14:15 next_event",
                "late idle 14:15-14:45 assumed",
            ]
        },
    ),
    Example(
        "25 capped behind the border",
        "W1@S1 13:55 working; 14:10 idle",
        {
            "state_intervals": [
                "day working 13:55-14:00 window_end",
                "late working 14:00-14:07 capped",
                "late idle 14:10-14:22 capped",
            ]
        },
        max_state_minutes=12,
    ),
    Example(
        "25 capped at the border",
        "W1@S1 13:55 working; 14:10 idle",
        {"state_intervals": ["day working 13:55-14:00 window_end", "late idle 14:10-14:15 capped"]},
        max_state_minutes=5,
    ),
    Example(
        "26 carried by counts",
        "W1@S1 13:10 working; 13:40 count; 14:05 count; 14:20 count",
        {"state_intervals": ["day working 13:10-14:00 window_end", "late working 14:00-14:50 assumed"]},
    ),
    Example(
        "27 coverage over a border",
        "W1@S1 13:50 working; 14:21 idle",
        {
            "worker_shifts": [
                {"shift_id": "day", "observed_seconds": 600.0},
                {"shift_id": "late", "observed_seconds": 1800.0},
            ]
        },
    ),
    Example(
        "27 observed at the station of the event that vouches",
        "W1@S1 13:40 working; W1@S2 13:50 count",
        {
            "state_intervals": ["day working 13:40-14:00 window_end"],
            "worker_station_shifts": [
                {"workstation_id": "S1", "observed_seconds": 600.0, "active_seconds": 1200.0},
                {"workstation_id": "S2", "observed_seconds": 600.0, "active_seconds": 0.0},
            ],
        },
    ),
    Example(
        "29 hours of Pune",
        "W1@S1 08:20 working; 08:40 idle",
        {
            "hourly_output": [
                {"hour": "07:30", "shift_id": "day", "working_seconds": 600.0, "idle_seconds": 0.0},
                {"hour": "08:30", "shift_id": "late", "working_seconds": 600.0, "idle_seconds": 1800.0},
            ]
        },
        zone="Asia/Kolkata",
    ),
    Example(
        "30 so far",
        "W1@S1 08:00 working; 08:20 count 12",
        {
            "workstation_shifts": [
                {"shift_id": "day", "target_units": 48.0, "target_units_so_far": 30.0, "attainment": 0.4}
            ],
            "hourly_output": [
                {"hour": "10:00", "target_units": 6.0, "target_units_so_far": 6.0, "cumulative_gap": -18.0},
                {"hour": "11:00", "target_units": 6.0, "target_units_so_far": 0.0, "cumulative_gap": -18.0},
            ],
            "station_targets": [{"shift_id": "day", "units": 12, "target_units_so_far": 30.0, "attainment": 0.4}],
        },
        targets=(("S1", "day", 6.0),),
        now="2026-01-14T11:00:59Z",
    ),
    Example(
        "31 overlapping shifts do not ask for an hour twice",
        "W1@S1 06:00 working;" + ";".join(f" {m // 60:02d}:{m % 60:02d} working" for m in range(380, 871, 10)),
        {
            "workstation_shifts": [{"shift_id": "day", "target_units": 80.0, "coverage": 1.0}],
            "station_targets": [
                {"shift_id": "day", "scheduled_seconds": 30_600.0, "target_units": 80.0},
                {"shift_id": "late", "target_units": 80.0},
            ],
            "worker_shifts": [{"shift_id": "day", "observed_seconds": 30_600.0, "coverage": 1.0}],
        },
        OVERLAP,
        targets=(("S1", "*", 10.0),),
    ),
    Example(
        "33 a dark camera",
        "W1@S1 08:00 working; 09:00 idle",
        {
            "workstation_shifts": [
                {
                    "shift_id": "day",
                    "working_seconds": 3600.0,
                    "staffed_seconds": 5400.0,
                    "observed_seconds": 3600.0,
                    "coverage": 0.125,
                }
            ],
            "hourly_output": [
                {"hour": "08:00", "observed_seconds": 1800.0},
                {"hour": "09:00", "observed_seconds": 1800.0},
            ],
            "station_targets": [
                {
                    "shift_id": "day",
                    "working_seconds": 1800.0,
                    "idle_seconds": 1800.0,
                    "unstaffed_seconds": 0.0,
                    "not_seen_seconds": 10_800.0,
                }
            ],
        },
        targets=(("S1", "day", 10.0),),
        now="2026-01-14T10:00:00Z",
    ),
    Example(
        "a state before the window",
        "W1@S1 05:50 working; 08:00 idle; 09:00 working; 14:30 idle",
        {
            "worker_shifts": [
                {
                    "shift_id": "day",
                    "active_seconds": 1800.0,
                    "idle_seconds": 3600.0,
                    "coverage": 0.125,
                }
            ]
        },
    ),
    Example(
        "a shift handed over",
        "; ".join(f"D{n}@S1 13:{m:02d} working" for n in range(3) for m in range(0, 60, 10))
        + "; "
        + "; ".join(f"D{n}@S1 14:00 idle; 14:03 absent" for n in range(3))
        + "; "
        + "; ".join(f"E{n}@S1 {m // 60:02d}:{m % 60:02d} working" for n in range(3) for m in range(840, 1320, 10)),
        {
            "site_shifts": [
                {
                    "shift_id": "late",
                    "utilization": 3 * 28_800 / (3 * 28_800 + 3 * 180),
                    "average_utilization": 0.5,
                    "worker_count": 6,
                }
            ]
        },
    ),
    Example(
        "19 a station's own counts do not show it",
        "-@S1 13:00 working; 13:20 count",
        {"state_intervals": ["day working 13:00-13:30 assumed"]},
    ),
    Example(
        "20 the next event in another window",
        "-@S1 13:50 working; 14:05 idle",
        {"state_intervals": ["day working 13:50-14:05 next_event", "late idle 14:05-14:35 assumed"]},
        OVERLAP,
    ),
    Example(
        "32 what became of the time",
        "-@S1 10:00 working; 10:15 count 2; 10:20 idle; -@S2 10:40 count",
        {
            "station_targets": [
                {
                    "workstation_id": "S1",
                    "units": 2,
                    "target_units_so_far": 60.0,
                    "working_seconds": 1200.0,
                    "idle_seconds": 1800.0,
                    "unstaffed_seconds": 1200.0,
                    "not_seen_seconds": 17_400.0,
                },
                {
                    "workstation_id": "S9",
                    "units": 0,
                    "attainment": 0.0,
                    "working_seconds": None,
                    "idle_seconds": None,
                    "unstaffed_seconds": None,
                    "not_seen_seconds": None,
                },
            ]
        },
        targets=(("S1", "day", 10.0), ("S9", "day", 10.0)),
        now="2026-01-14T12:00:00Z",
    ),
    Example(
        "37 the station and a worker",
        "-@S1 10:00 working; 10:20 idle; W1@S1 10:10 working; 10:30 absent",
        {
            "workstation_shifts": [
                {
                    "working_seconds": 2400.0,
                    "idle_seconds": 1800.0,
                    "staffed_seconds": 3000.0,
                    "worker_count": 1,
                }
            ],
            "site_shifts": [
                {
                    "utilization": 2400 / 4200,
                    "average_utilization": 1.0,
                    "observed_seconds": 6000.0,
                    "coverage": 6000 / (2 * 28_800),
                }
            ],
        },
    ),
    Example(
        "37 a station that is only counted",
        "W1@S1 10:00 working; -@S3 10:05 count",
        {"site_shifts": [{"coverage": 1800 / 28_800, "workstation_count": 2, "worker_count": 1, "units": 1}]},
    ),
]


def grouped_by_plant(examples: list[Example]) -> Iterator[tuple[str, float | None, list[Example]]]:
    """Examples that can share a plant: with the same newest landing and the same settings."""
    for now, cap in sorted({(each.now, each.max_state_minutes) for each in examples}, key=repr):
        yield now, cap, [each for each in examples if (each.now, each.max_state_minutes) == (now, cap)]


def united(examples: list[Example]) -> Registry:
    registry = Registry()
    for example in examples:
        own = example.registry
        registry = replace(
            registry,
            sites=registry.sites | own.sites,
            shifts=registry.shifts + own.shifts,
            targets=registry.targets + own.targets,
        )
    return registry
