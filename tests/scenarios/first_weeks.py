"""The usual faults of a new plant as examples: dark cameras, handovers, states that began before the shift."""

from tests.scenarios.worked_examples import Example


def every(minutes: int, start: str, end: str, what: str) -> str:
    """One event every `minutes`, from `start` to before `end`; a time may be after midnight: `30:00`."""
    first, last = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (start, end))
    return "; ".join(
        f"{'15th ' * (at >= 1440)}{at // 60 % 24:02d}:{at % 60:02d} {what}" for at in range(first, last, minutes)
    )


REPEATED = "; ".join(
    every(20, start, end, state)
    for start, end, state in (
        ("05:50", "08:00", "working"),
        ("08:00", "09:00", "idle"),
        ("09:00", "14:30", "working"),
        ("14:30", "14:31", "idle"),
    )
)
DARK = "W1@S1 06:00 working; 06:10 working; 13:50 working; W2@S1 06:00 working; 06:10 working"
HANDED_OVER = [
    *(
        f"D{n}@S1 {every(10, '13:00', '14:00', 'working')}; 14:00:0{n} idle; 14:03:0{n} absent; "
        f"E{n}@S1 {every(10, '14:00', '22:00', 'working')}"
        for n in range(10)
    )
]

FIRST_WEEKS = [
    Example(
        "a repeated state reaches over both borders",
        f"W1@S1 {REPEATED}",
        {
            "worker_shifts": [
                {"shift_id": "night", "active_seconds": 600.0, "idle_seconds": 0.0},
                {
                    "shift_id": "day",
                    "active_seconds": 25_200.0,
                    "idle_seconds": 3600.0,
                    "utilization": 0.875,
                    "coverage": 1.0,
                },
                {"shift_id": "late", "active_seconds": 1800.0, "idle_seconds": 1800.0},
            ]
        },
    ),
    Example(
        "a silent camera leaves a state that nobody saw",
        DARK,
        {
            "worker_shifts": [
                {"worker_id": "W1", "active_seconds": 28_800.0, "observed_seconds": 3000.0, "coverage": 3000 / 28_800},
                {"worker_id": "W2", "active_seconds": 2400.0, "coverage": 2400 / 28_800},
            ],
            # less than nine tenths of the staffed time were seen: thin evidence
            "workstation_shifts": [{"shift_id": "day", "staffed_seconds": 28_800.0, "observed_seconds": 3000.0}],
        },
    ),
    Example(
        "a silence counts no longer within the shift than at its end",
        DARK,
        {
            "worker_shifts": [
                {"worker_id": "W1", "active_seconds": 600.0 + 720 + 600},
                {"worker_id": "W2", "active_seconds": 600.0 + 720},
            ]
        },
        max_state_minutes=12,
    ),
    Example(
        "two shifts in one room for two hours",
        f"E@S1 {every(10, '14:00', '20:00', 'working')}; {every(60, '14:30', '20:00', 'count 10')}; "
        f"N@S2 {every(10, '18:00', '31:00', 'working')}",
        {
            "worker_shifts": [
                {"worker_id": "E", "shift_id": "evening", "active_seconds": 21_600.0, "units": 60},
                {"worker_id": "N", "shift_id": "night", "active_seconds": 46_800.0, "units": 0},
            ],
            "hourly_output": [
                {
                    "workstation_id": "S1",
                    "hour": f"{hour}:00",
                    "shift_id": "evening" if hour < 18 else "night",
                    "working_seconds": 3600.0,
                    "units": 10,
                }
                for hour in range(14, 20)
            ],
        },
        {"evening": ("14:00", 360), "night": ("18:00", 780)},
    ),
    Example(
        "the board's hours are those of the clock in Pune",
        f"W1@S1 {every(1, '00:30', '08:30', 'count 1')}; {every(10, '00:30', '08:30', 'working')}",
        {
            "hourly_output": [
                {"hour": f"{hour:02d}:30", "shift_id": "day", "units": 60, "target_units": 60.0} for hour in range(8)
            ]
        },
        zone="Asia/Kolkata",
        targets=(("S1", "day", 60.0),),
    ),
    Example(
        "who leaves does not halve the next shift",
        "; ".join(HANDED_OVER),
        {
            "site_shifts": [
                {
                    "shift_id": "late",
                    "utilization": 288_045 / 289_845,
                    # each of the ten who leave works for n seconds, n being the worker's number, and is idle for 180
                    "average_utilization": (10 + sum(n / (n + 180) for n in range(10))) / 20,
                    "worker_count": 20,
                }
            ]
        },
    ),
]
