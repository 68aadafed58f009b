"""Plans the plant: sites, shifts, stations, workers and cameras.

`timeline` decides what each worker does and when; `cameras` decides what a camera reports.
"""

from dataclasses import dataclass

from simulator.draws import Purpose, between, stream


@dataclass(frozen=True)
class Shift:
    """A row of the shift calendar; `start_local` is `HH:MM` on the site's clocks."""

    shift_id: str
    start_local: str
    duration_minutes: int


@dataclass(frozen=True)
class Station:
    """A workstation. `camera` and `second_camera` are positions in `Site.cameras`; -1 means no second camera."""

    workstation_id: str
    name: str
    station_type: str
    units_per_hour: int
    batch: int
    camera: int
    second_camera: int
    is_registered: bool


@dataclass(frozen=True)
class Worker:
    """A worker. `crew` is a position in `Site.shifts`. `pace` scales output, `focus` the length of work, in percent."""

    worker_id: str
    name: str
    crew: int
    rest_weekday: int
    pace: int
    focus: int
    is_registered: bool


@dataclass(frozen=True)
class Camera:
    """A camera and its style of writing; the contract allows every style."""

    camera_id: str
    clock_offset_ms: int
    writes_local_time: bool  # "2026-10-19 10:15:00.000+02:00" instead of "…T08:15:00.000Z"
    leaves_out_place: bool  # site and camera only in the key
    extra_field: bool
    line_end: str


@dataclass(frozen=True)
class Site:
    """One plant of the company. Other modules refer to stations, workers and cameras by their positions here."""

    number: int
    site_id: str
    name: str
    timezone: str
    shifts: tuple[Shift, ...]
    has_own_shifts: bool
    stations: tuple[Station, ...]
    workers: tuple[Worker, ...]
    cameras: tuple[Camera, ...]


@dataclass(frozen=True)
class Fleet:
    """All sites with their stations, workers and cameras."""

    sites: tuple[Site, ...]


PLACES = (
    ("hamburg", "Europe/Berlin"),
    ("chicago", "America/Chicago"),
    ("pune", "Asia/Kolkata"),
    ("adelaide", "Australia/Adelaide"),
    ("monterrey", "America/Monterrey"),
    ("osaka", "Asia/Tokyo"),
)
SHARED_SHIFTS = (Shift("early", "06:00", 480), Shift("late", "14:00", 480), Shift("night", "22:00", 480))
# Two long shifts that leave the early morning unscheduled: the second kind of plant.
LONG_SHIFTS = (Shift("day", "06:00", 600), Shift("evening", "16:30", 570))
STATION_TYPES = (("assembly", 18), ("press", 90), ("welding", 30), ("packing", 60), ("inspection", 45))
BATCH_MINUTES = 40  # a station reports its output in batches, so that counts are about 5 % of all events
SHARED_SCENE_EVERY = 4


def plan_fleet(*, sites: int, cameras: int, workers: int, seed: int) -> Fleet:
    """Divide cameras and workers over the sites as evenly as whole numbers allow."""
    return Fleet(
        tuple(
            _plan_site(number, _share(cameras, sites, number), _share(workers, sites, number), seed)
            for number in range(sites)
        )
    )


def _share(total: int, parts: int, number: int) -> int:
    return total // parts + (number < total % parts)


def _plan_site(number: int, cameras: int, workers: int, seed: int) -> Site:
    place, timezone = PLACES[number % len(PLACES)]
    round_trip = number // len(PLACES)
    shifts = LONG_SHIFTS if number % 2 else SHARED_SHIFTS
    crew_size = -(-workers // len(shifts))
    return Site(
        number=number,
        site_id=place if not round_trip else f"{place}-{round_trip + 1}",
        name=f"{place.title()} plant" if not round_trip else f"{place.title()} plant {round_trip + 1}",
        timezone=timezone,
        shifts=shifts,
        has_own_shifts=shifts is not SHARED_SHIFTS,
        stations=_plan_stations(number, max(cameras, crew_size), cameras),
        workers=_plan_workers(number, workers, len(shifts), seed),
        cameras=_plan_cameras(number, cameras, seed),
    )


def _plan_stations(site_number: int, count: int, cameras: int) -> tuple[Station, ...]:
    stations = []
    for position in range(count):
        station_type, rate = STATION_TYPES[position % len(STATION_TYPES)]
        shared = cameras > 1 and position % SHARED_SCENE_EVERY == 0
        stations.append(
            Station(
                workstation_id=f"S{position + 1:02d}",
                name=f"{station_type.title()} {position // len(STATION_TYPES) + 1}",
                station_type=station_type,
                units_per_hour=rate,
                batch=max(1, rate * BATCH_MINUTES // 60),
                camera=position % cameras,
                second_camera=(position + 1) % cameras if shared else -1,
                is_registered=site_number % 2 == 0 or position < count - 1,  # registries lag behind reality
            )
        )
    return tuple(stations)


def _plan_workers(site_number: int, count: int, crews: int, seed: int) -> tuple[Worker, ...]:
    rng = stream(seed, Purpose.FLEET, site_number)
    rest_weekday, pace, focus = between(rng, 0, 6, count), between(rng, 82, 112, count), between(rng, 70, 135, count)
    return tuple(
        Worker(
            worker_id=f"W{position + 1:02d}",  # the same ids at every site: ids are unique within a site only
            name=f"Operator {position + 1:02d}",
            crew=position % crews,
            rest_weekday=int(rest_weekday[position]),
            pace=int(pace[position]),
            focus=int(focus[position]),
            is_registered=count == 1 or position < count - 1,  # the newest worker is not registered yet
        )
        for position in range(count)
    )


def _plan_cameras(site_number: int, count: int, seed: int) -> tuple[Camera, ...]:
    rng = stream(seed, Purpose.FLEET, 1_000_000 + site_number)
    offsets = between(rng, -1500, 1500, count)
    return tuple(
        Camera(
            camera_id=f"cam-{position + 1:02d}",
            clock_offset_ms=int(offsets[position]),
            # Different periods, so that every combination of styles occurs in a large plant and every style in a small
            # one.
            writes_local_time=(position + 3) % 4 == 0,
            leaves_out_place=(position + 1) % 3 == 0,
            extra_field=position % 5 == 0,
            line_end="\r\n" if (position + 4) % 6 == 0 else "\n",
        )
        for position in range(count)
    )
