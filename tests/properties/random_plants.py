"""Small random plants around changes of clocks: their registries and the texts of their records.

Only generation is done here. Everything is drawn from one `random.Random`, so a seed reproduces a plant. Instants come
from a coarse grid with a few neighbours a microsecond away, so duplicates, ties and window edges are common.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from typing import Any

from tests.reference.plant import CameraRow, Registry, Shift, Target

Record = dict[str, Any]

# A zone and an instant at which its clocks change; Kolkata, Kiritimati and Pago Pago are far from UTC instead.
ZONES_AND_CHANGES = [
    ("Europe/Berlin", "2025-03-30T01:00"),
    ("Europe/Berlin", "2025-10-26T01:00"),
    ("America/St_Johns", "2025-03-09T05:30"),
    ("America/St_Johns", "2025-11-02T04:30"),
    ("America/Havana", "2025-03-09T05:00"),
    ("America/Havana", "2025-11-02T05:00"),
    ("Australia/Lord_Howe", "2025-04-05T15:00"),
    ("Australia/Lord_Howe", "2025-10-04T15:30"),
    ("Asia/Beirut", "2025-03-29T22:00"),
    ("Asia/Beirut", "2025-10-25T21:00"),
    ("America/Santiago", "2025-04-06T03:00"),
    ("Africa/Casablanca", "2025-02-23T02:00"),
    ("Asia/Kolkata", "2025-12-31T18:30"),
    ("Pacific/Kiritimati", "2026-01-01T10:00"),
    ("Pacific/Pago_Pago", "2024-02-29T11:00"),
    ("Europe/London", "2026-02-28T20:00"),  # just before the newest landing, so that windows have not ended
]
STARTS = [time(hour, minute) for hour in (0, 1, 2, 3, 23) for minute in (0, 15, 30, 45)]
STARTS += [time(6, 0), time(14, 0), time(22, 0), time(23, 59)]
DURATIONS = [1, 15, 60, 90, 240, 480, 720, 1439, 1440]
# Shifts with handovers: they overlap for half an hour, have five minutes between them, or start at once.
HANDOVERS = [
    [(time(22, 0), 510), (time(6, 0), 480), (time(14, 0), 510)],
    [(time(21, 45), 255), (time(2, 5), 235), (time(6, 0), 475)],
    [(time(0, 0), 480), (time(1, 0), 480), (time(2, 0), 480)],
    [(time(1, 0), 120), (time(1, 0), 240), (time(2, 30), 90), (time(23, 30), 180)],
]
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PARTS_OF_A_WEEK = [WEEK[:5], WEEK[5:], ("fri", "sat"), ("mon", "sun")]
SHIFT_IDS = ["day", "night", "B", "a", "é", "\uff5e", "\U0001f600"]  # byte order is neither UTF-16's nor a dictionary's
WORKERS = ["W1", "w1", "W10", "Zoë \U0001f600", "Ｗ1", "W 1"]  # noqa: RUF001 - full width is another id
STATIONS = ["S1", "s0", "\uff5eS", "\U0001f600S"]
CAMERAS = ["C1", "c0", "\U0001f600"]
MODELS = [("eye", "1"), ("eye", "2"), ("Eye", "1")]
CONFIDENCES = [0.0, 0.5, 0.5, 0.7, 0.9, 0.9, 0.91, 1 / 3, 0.1 + 0.2, 1.0]
EVENT_TYPES = ["working"] * 4 + ["idle"] * 3 + ["absent", "product_count", "product_count"]
COUNTS = [None, 0, 1, 1, 2, 7, 1_000_000]
TOTALS = [0, 1, 5, 5, 9, 10, 11, 400, 10**15]
MALFORMED = ["{", "nothing", "[1, 2]", '"text"', "{}", '{"timestamp": "2026-01-01T00:00:00Z", "zone": 1}']


@dataclass
class RandomPlant:
    """Some sites that no other plant has, their registry, and the texts of their records."""

    registry: Registry = field(default_factory=Registry)
    lines: list[str] = field(default_factory=list)


def random_plant(seed: int, prefix: str) -> RandomPlant:
    """One plant whose site ids all begin with `prefix`."""
    random = Random(seed)
    plant = RandomPlant()
    for number in range(random.randint(1, 3)):
        add_site(plant, f"{prefix}{random.choice('aé~')}{number}", random)
    return plant


def add_site(plant: RandomPlant, site_id: str, random: Random) -> None:
    zone, change = random.choice(ZONES_AND_CHANGES)
    changed_at = datetime.fromisoformat(change).replace(tzinfo=UTC)
    if random.random() < 0.85:
        plant.registry.sites[site_id] = (f"Site {site_id}", zone)
    shifts = own_shifts(site_id, changed_at.date(), random) if random.random() < 0.7 else []
    closures = own_closures(site_id, changed_at.date(), random)
    plant.registry = replace(
        plant.registry,
        shifts=(*plant.registry.shifts, *shifts),
        closures=(*plant.registry.closures, *closures),
    )
    workers = random.sample(WORKERS, random.randint(1, 4))
    stations = random.sample(STATIONS, random.randint(1, 3))
    for worker in random.sample(workers, random.randint(0, len(workers))):
        plant.registry.workers[site_id, worker] = random.choice(["First worker", 'Last, "quoted"', worker])
    for station in random.sample(stations, random.randint(0, len(stations))):
        line = random.choice([(), ("Line 1",), ("Line 2",)])
        plant.registry.workstations[site_id, station] = (
            f"Station {station}",
            random.choice(["press", "packing"]),
            *line,
        )
    targets = tuple(
        target for station in stations for target in own_targets(site_id, station, changed_at.date(), random)
    )
    plant.registry = replace(
        plant.registry,
        targets=(*plant.registry.targets, *targets),
        cameras=(*plant.registry.cameras, *own_cameras(site_id, changed_at.date(), random)),
    )
    booked = own_bookings(site_id, stations, changed_at.date(), random)
    plant.registry.booked.update(booked)
    if random.random() < 0.3:
        released = {(site_id, random.choice(["*", *stations])): random.choice(["Line lead", "Quality"])}
        plant.registry = replace(plant.registry, released={**(plant.registry.released or {}), **released})
    instants = list(grid(changed_at, random))
    for _ in range(random.randint(1, 60)):
        event = random_event(random.choice(instants), random)
        event |= {"site_id": site_id, "worker_id": random.choice(workers), "workstation_id": random.choice(stations)}
        if random.random() < 0.15:
            del event["worker_id"]  # the station's own event
        plant.lines.append(random.choice(MALFORMED) if random.random() < 0.03 else spoilt_or_not(event, random))


def own_shifts(site_id: str, day: date, random: Random) -> list[Shift]:
    shifts = []
    if random.random() < 0.4:
        handover = random.choice(HANDOVERS)
        return [
            Shift(site_id, shift_id, start, minutes)
            for shift_id, (start, minutes) in zip(random.sample(SHIFT_IDS, len(handover)), handover, strict=True)
        ]
    for shift_id in random.sample(SHIFT_IDS, random.randint(1, 4)):
        first = Shift(site_id, shift_id, random.choice(STARTS), random.choice(DURATIONS))
        kind = random.random()
        if kind < 0.45:
            shifts.append(first)
            continue
        if kind < 0.6:  # some weekdays, and perhaps a different row for the others
            days = random.choice(PARTS_OF_A_WEEK)
            rest = tuple(sorted(set(WEEK) - set(days), key=WEEK.index))
            shifts.append(replace(first, weekdays=days))
            if random.random() < 0.5:
                shifts.append(Shift(site_id, shift_id, random.choice(STARTS), random.choice(DURATIONS), weekdays=rest))
            continue
        # One id with two date ranges that do not overlap, or with one that begins or ends within the plant's time.
        change = day + timedelta(days=random.randint(-1, 1))
        before = Shift(site_id, shift_id, first.start_local, first.duration_minutes, None, change)
        after = Shift(
            site_id, shift_id, random.choice(STARTS), random.choice(DURATIONS), change + timedelta(days=1), None
        )
        shifts += [before, after] if kind < 0.8 else [random.choice([before, after])]
    return shifts


def own_closures(site_id: str, day: date, random: Random) -> list[tuple[str, date, date]]:
    """Usually none, else some dates near `day`."""
    if random.random() < 0.75:
        return []
    first = day + timedelta(days=random.randint(-2, 1))
    return [(site_id, first, first + timedelta(days=random.randint(0, 2)))]


def own_targets(site_id: str, station: str, day: date, random: Random) -> list[Target]:
    """None, one for all shifts, some for single shifts, or changes from one date to the next."""
    targets = []
    for shift_id in random.sample(["*", *SHIFT_IDS, "evening"], random.randint(0, 4)):
        rate = random.choice([1.0, 12.5, 0.000001, 1_000_000.0, 1 / 3])
        if random.random() < 0.6:
            days = random.choice([(), (), *PARTS_OF_A_WEEK])
            targets.append(Target(site_id, station, shift_id, round(rate, 6), weekdays=days))
            continue
        change = day + timedelta(days=random.randint(-1, 1))
        targets.append(Target(site_id, station, shift_id, round(rate, 6), None, change))
        if random.random() < 0.5:
            targets.append(Target(site_id, station, shift_id, 60.0, change + timedelta(days=1), None))
    return targets


def own_bookings(site_id: str, stations: list[str], day: date, random: Random) -> dict[tuple[str, str, date, str], int]:
    """What was booked in some shifts, also of stations and shifts that do not exist; usually nothing."""
    if random.random() < 0.5:
        return {}
    places = random.sample(["*", *stations, "S9"], random.randint(1, 2))
    shifts = [*SHIFT_IDS, "evening"]
    return {
        (site_id, place, day + timedelta(days=days), shift_id): random.choice([0, 1, 7, 300, 1_000_000])
        for place in places
        for days in range(-2, 3)
        for shift_id in random.sample(shifts, random.randint(1, len(shifts)))
    }


def own_cameras(site_id: str, day: date, random: Random) -> list[CameraRow]:
    """Which cameras count where: usually no rows, else rows for all stations, for one, or until and from a date."""
    rows: list[CameraRow] = []
    if random.random() < 0.6:
        return rows
    for camera in random.sample([*CAMERAS, "edge", "unknown"], random.randint(1, 3)):
        for station in random.sample(["*", *STATIONS], random.randint(1, 3)):
            row = CameraRow(site_id, camera, station, random.random() < 0.5, random.random() < 0.5)
            if random.random() < 0.6:
                rows.append(row)
                continue
            change = day + timedelta(days=random.randint(-1, 1))
            rows.append(replace(row, valid_to=change))
            if random.random() < 0.5:
                after = change + timedelta(days=1)
                rows.append(replace(row, counts=not row.counts, states=not row.states, valid_from=after))
    return rows


def grid(changed_at: datetime, random: Random) -> Iterator[datetime]:
    """Some instants within a day and a half of the change of the clocks, many of them within two hours.

    In sparse grids they are a quarter of an hour or more apart, in dense ones also five minutes.
    """
    step = random.choice([15, 15, 5])
    for _ in range(random.randint(3, 30)):
        reach = random.choice([8, 8, 140])
        instant = changed_at + timedelta(minutes=step * random.randint(-reach, reach))
        yield instant
        if random.random() < 0.15:
            yield instant + timedelta(microseconds=random.choice([-1, 1, 333_333]))


def random_event(instant: datetime, random: Random) -> Record:
    offset = timezone(timedelta(minutes=random.choice([0, 0, 60, 330, -210, 845])))
    event: Record = {
        "timestamp": instant.astimezone(offset).isoformat(sep=random.choice("T ")).replace("+00:00", "Z"),
        "event_type": random.choice(EVENT_TYPES),
        "confidence": random.choice(CONFIDENCES),
    }
    count = random.choice(COUNTS)
    if random.random() < 0.1:
        event["count_total"] = random.choice(TOTALS)
    elif count is not None:
        event["count"] = count
    if random.random() < 0.3:
        event["event_id"] = random.choice(["p1", "p2", 17, "17", ""])
    if random.random() < 0.8:
        event["camera_id"] = random.choice(CAMERAS)
    if random.random() < 0.7:
        event["model_name"], event["model_version"] = random.choice(MODELS)
    return event


def spoilt_or_not(event: Record, random: Random) -> str:
    if random.random() < 0.04:
        spoilt: dict[str, Any] = {
            "timestamp": event["timestamp"][:16],
            "worker_id": 7,
            "event_type": "asleep",
            "confidence": 1.5,
            "count": -1,
            "site_id": "  ",
        }
        name = random.choice(list(spoilt))
        event[name] = spoilt[name]
    members = list(event.items())
    random.shuffle(members)
    return json.dumps(dict(members), ensure_ascii=random.random() < 0.5)


def common_shifts(random: Random) -> tuple[Shift, ...]:
    """The rows of `*` that all plants of one bucket share. Without any, all have the three default shifts."""
    if random.random() < 0.5:
        return ()
    return tuple(
        Shift("*", shift_id, random.choice(STARTS), random.choice(DURATIONS))
        for shift_id in random.sample(SHIFT_IDS, random.randint(1, 3))
    )


def united(plants: list[RandomPlant], common: tuple[Shift, ...]) -> Registry:
    """The registry of one bucket that holds several plants."""
    registry = Registry(
        shifts=(*common, *(shift for plant in plants for shift in plant.registry.shifts)),
        targets=tuple(target for plant in plants for target in plant.registry.targets),
        closures=tuple(closure for plant in plants for closure in plant.registry.closures),
        cameras=tuple(row for plant in plants for row in plant.registry.cameras),
        released={key: who for plant in plants for key, who in (plant.registry.released or {}).items()},
    )
    for plant in plants:
        registry.booked.update(plant.registry.booked)
        registry.sites.update(plant.registry.sites)
        registry.workers.update(plant.registry.workers)
        registry.workstations.update(plant.registry.workstations)
    return registry
