"""The reference implementation, tested against values computed by hand."""

import gzip
from datetime import UTC, date, datetime, time, timedelta

import pytest
import zstandard

from tests.reference.counting import events_for_figures, without_duplicates
from tests.reference.groups import moment
from tests.reference.intervals import Sightings
from tests.reference.json_text import NotJson, Number, whole_value
from tests.reference.marts import compute_marts
from tests.reference.plant import CameraRow, Registry, Settings, Shift
from tests.reference.reading import EPOCH, MICROSECOND, Event, Rejection, is_event_object, read_object
from tests.reference.windows import Calendar, Window
from tests.reference.zones import local_time, to_utc

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = (
    '{"timestamp": "2026-01-15T10:15:00Z", "worker_id": "W1", "workstation_id": "S3", "event_type": "working",'
    ' "confidence": 0.93}'
)


def at(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def event(text: str, event_type: str = "working", **fields: object) -> Event:
    values: dict[str, object] = {
        "site_id": "north",
        "worker_id": "W1",
        "workstation_id": "S1",
        "confidence": 0.9,
        "count": 1,
        "camera_id": "C1",
        "model_name": "m",
        "model_version": "1",
    }
    return Event(at=at(text), event_type=event_type, **(values | fields))  # type: ignore[arg-type]


def reasons(content: str | bytes, key: str = "events/a.jsonl") -> list[str]:
    content = content.encode() if isinstance(content, str) else content
    return [rejection.reason for rejection in read_object(key, content, NOW).rejected]


def record(**changes: str) -> str:
    """The valid record with members replaced by raw JSON texts. An empty text removes the member."""
    members = {
        "timestamp": '"2026-01-15T10:15:00Z"',
        "worker_id": '"W1"',
        "workstation_id": '"S3"',
        "event_type": '"working"',
        "confidence": "0.93",
    }
    return "{" + ", ".join(f'"{name}": {text}' for name, text in (members | changes).items() if text) + "}"


@pytest.mark.parametrize(
    ("zone", "day", "wall", "instant"),
    [
        ("Europe/Berlin", date(2025, 10, 26), time(2, 30), "2025-10-26T00:30:00+00:00"),  # shown twice: the first
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T01:30:00+00:00"),  # skipped: 03:30 summer time
        ("Europe/Berlin", date(2026, 3, 29), time(3, 0), "2026-03-29T01:00:00+00:00"),
        ("Australia/Lord_Howe", date(2025, 10, 5), time(2, 15), "2025-10-04T15:45:00+00:00"),  # a gap of 30 minutes
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), "2026-04-04T14:45:00+00:00"),  # twice, at +11 and +10:30
        ("America/Havana", date(2026, 3, 8), time(0, 0), "2026-03-08T05:00:00+00:00"),  # a day that starts at 01:00
        ("America/Havana", date(2025, 11, 2), time(0, 30), "2025-11-02T04:30:00+00:00"),
        ("America/St_Johns", date(2010, 11, 7), time(0, 0), "2010-11-07T02:30:00+00:00"),  # clocks changed at 00:01
        ("Asia/Kolkata", date(2026, 1, 1), time(6, 0), "2026-01-01T00:30:00+00:00"),
        ("Pacific/Apia", date(2011, 12, 30), time(6, 0), "2011-12-30T16:00:00+00:00"),  # a date that never was
    ],
)
def test_a_time_on_the_wall_is_its_first_instant_or_moves_on_by_the_gap(
    zone: str, day: date, wall: time, instant: str
) -> None:
    assert moment(to_utc(zone, local_time(day, wall))) == datetime.fromisoformat(instant)


def test_unscheduled_time_is_cut_at_shifts_and_at_local_midnight() -> None:
    registry = Registry({"north": ("North", "Europe/Berlin")}, (Shift("north", "day", time(6), 480),))
    calendar = Calendar(registry, "north")
    evening = calendar.window_of(at("2026-01-15T13:00:00+00:00"))  # 14:00 local, the instant the shift ends
    morning = calendar.window_of(at("2026-01-15T23:30:00+00:00"))  # 00:30 on the 16th
    assert evening == Window(
        date(2026, 1, 15), "unscheduled", at("2026-01-15T13:00:00+00:00"), at("2026-01-15T23:00:00+00:00"), False
    )
    assert morning == Window(
        date(2026, 1, 16), "unscheduled", at("2026-01-15T23:00:00+00:00"), at("2026-01-16T05:00:00+00:00"), False
    )


@pytest.mark.parametrize(
    ("clock", "shift_id"), [("08:00", "long"), ("10:00", "also"), ("12:00", "long"), ("18:00", "unscheduled")]
)
def test_where_windows_overlap_the_last_start_owns_and_then_the_smaller_id(clock: str, shift_id: str) -> None:
    shifts = (Shift("*", "long", time(6), 720), Shift("*", "late", time(10), 120), Shift("*", "also", time(10), 120))
    assert Calendar(Registry(shifts=shifts), "north").window_of(at(f"2026-01-15T{clock}:00+00:00")).shift_id == shift_id


def test_a_night_shift_belongs_to_the_date_it_starts_on() -> None:
    window = Calendar(Registry(), "nowhere").window_of(at("2026-01-16T05:59:59.999999+00:00"))
    assert (window.shift_id, window.shift_date) == ("night", date(2026, 1, 15))


def test_a_site_with_shifts_of_its_own_takes_none_of_the_common_ones() -> None:
    own = Shift("north", "early", time(5), 60, valid_to=date(2026, 1, 14))
    calendar = Calendar(Registry(shifts=(own, Shift("*", "day", time(0), 1440))), "north")
    assert calendar.window_of(at("2026-01-14T05:59:00+00:00")).shift_id == "early"
    assert calendar.window_of(at("2026-01-15T05:30:00+00:00")).shift_id == "unscheduled"


def test_of_duplicates_the_most_confident_stays_then_the_largest_count_then_the_smallest_camera() -> None:
    same = "2026-01-15T10:00:00+00:00"
    best = event(same, confidence=0.9, count=3, camera_id="B")
    others = [
        event(same, confidence=0.8, count=9, camera_id="A"),
        event(same, confidence=0.9, count=2, camera_id="A"),
        event(same, confidence=0.9, count=3, camera_id="b"),
    ]
    assert without_duplicates([*others, best]) == without_duplicates([best, *others]) == [best]


def test_products_of_one_instant_are_told_apart_by_their_ids_and_readings_by_their_counters() -> None:
    same, later = "2026-01-15T10:00:00+00:00", "2026-01-15T10:10:00+00:00"
    events = [
        *(event(same, "product_count", event_id=own, count=n) for own, n in (("a", 2), ("a", 1), ("b", 4), (None, 1))),
        *(
            event(moment, "product_count", count_total=n, count=0)
            for moment, n in ((same, 10), (later, 10), (later, 17))
        ),
    ]
    assert sorted((one.at, one.count) for one in events_for_figures(events, Registry())) == [
        (at(same), 0),
        (at(same), 7),
        (at(later), 7),
    ]


def test_a_cameras_row_for_the_station_comes_before_the_one_for_all_on_the_dates_that_it_holds() -> None:
    def row(station: str, **fields: object) -> CameraRow:
        return CameraRow("north", "C1", station, **fields)  # type: ignore[arg-type]

    rows = (row("*", counts=False), row("S1", states=False, valid_from=date(2026, 1, 16)))
    registry = Registry({"north": ("North", "Pacific/Kiritimati")}, cameras=rows)
    events = [
        event(f"2026-01-{day}T10:00:00+00:00", kind, workstation_id=station)
        for day in (14, 15)  # the 15th and the 16th on Kiritimati
        for kind in ("working", "product_count")
        for station in ("S1", "S2")
    ]
    counted = [(one.workstation_id, one.event_type) for one in events_for_figures(events, registry)]
    assert counted == [("S1", "working"), ("S2", "working"), ("S2", "working"), ("S1", "product_count")]


@pytest.mark.parametrize(
    ("settings", "start", "minutes", "reason"),
    [
        (Settings(), "10:00", 30, "assumed"),
        (Settings(), "13:30", 30, "assumed"),
        (Settings(), "13:45", 15, "window_end"),
        (Settings(max_state_minutes=10), "13:45", 10, "capped"),
        (Settings(max_state_minutes=15), "13:45", 15, "window_end"),
        (Settings(last_event_minutes=0), "10:00", 0, "assumed"),
        (Settings(last_event_minutes=600), "10:00", 240, "window_end"),
    ],
)
def test_the_last_state_is_assumed_to_last_but_never_past_its_window(
    settings: Settings, start: str, minutes: int, reason: str
) -> None:
    last = event(f"2026-01-15T{start}:00+00:00")
    (interval,) = Sightings([last], Calendar(Registry(), "north")).states(settings)
    assert (interval.duration, interval.end_reason) == (minutes * 60_000_000, reason)


def test_at_one_instant_the_most_confident_state_is_the_one_that_lasts() -> None:
    same, later = "2026-01-15T10:00:00+00:00", "2026-01-15T10:10:00+00:00"
    events = [
        event(same, "working", confidence=0.7, workstation_id="S2"),
        event(same, "idle", confidence=0.9),
        event(same, "absent", confidence=0.7, workstation_id="S1"),
        event("2026-01-15T10:05:00+00:00", "product_count"),  # does not end a state
        event(later, "working"),
    ]
    rows = compute_marts(events, Registry(), Settings(), NOW)["state_intervals"]
    assert [(row["state"], row["seconds"]) for row in rows] == [
        ("absent", 0.0),
        ("idle", 600.0),
        ("working", 0.0),
        ("working", 1800.0),
    ]


def test_two_people_at_one_station_are_staffed_once_and_occupy_it_twice() -> None:
    events = [
        event("2026-01-15T10:00:00+00:00"),
        event("2026-01-15T10:20:00+00:00", worker_id="W2"),
        event("2026-01-15T11:20:00+00:00", "idle"),
        event("2026-01-15T10:40:00+00:00", "absent", worker_id="W2"),
    ]
    (row,) = compute_marts(events, Registry(), Settings(), NOW)["workstation_shifts"]
    assert (row["working_seconds"], row["idle_seconds"], row["staffed_seconds"]) == (6000.0, 1800.0, 6600.0)
    assert (row["utilization"], row["worker_count"], row["throughput_per_hour"]) == (6000 / 7800, 2, 0.0)


def test_an_interval_is_split_at_the_hours_of_the_sites_clock() -> None:
    events = [event("2026-01-15T10:45:00+00:00"), event("2026-01-15T11:10:00+00:00", "product_count", count=4)]
    kolkata = Registry({"north": ("North", "Asia/Kolkata")})
    for registry, expected in (
        (Registry(), [(10, 0, 900.0, 0), (11, 0, 2400.0, 4)]),
        (kolkata, [(10, 30, 2700.0, 4), (11, 30, 600.0, 0)]),
    ):
        rows = compute_marts(events, registry, Settings(), NOW)["hourly_output"]
        assert [
            (row["hour"].hour, row["hour"].minute, row["working_seconds"], row["units"]) for row in rows
        ] == expected


def test_a_model_keeps_its_own_detection_of_an_event_that_another_model_saw_better() -> None:
    same = "2026-01-15T10:00:00+00:00"
    events = [event(same, confidence=0.5), event(same, confidence=0.6), event(same, confidence=0.9, model_version="2")]
    rows = compute_marts(events, Registry(), Settings(), NOW)["model_days"]
    assert [(row["model_version"], row["event_count"], row["mean_confidence"]) for row in rows] == [
        ("1", 1, 0.6),
        ("2", 1, 0.9),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-01-15T10:15Z", None),
        ("2026-01-15 10:15:00.1234567+05:30", None),
        ("2026-01-15T10:15:00-00:00", None),
        ("1999-12-31T23:30:00-01:00", None),
        ("2026-03-02T00:00:00.0000009Z", None),  # finer digits are cut first: exactly 24 h
        ("2026-03-02T00:00:00.000001Z", "timestamp_out_of_range"),
        ("2000-01-01T00:00:00+00:01", "timestamp_out_of_range"),
        ("0000-02-29T00:00:00Z", "timestamp_out_of_range"),
        ("9999-12-31T23:59:59-23:59", "timestamp_out_of_range"),
        ("2026-01-15T10:15:00", "timestamp_without_offset"),
        ("0000-01-15T10:15", "timestamp_without_offset"),
        ("2026-02-29T10:15:00", "bad_timestamp"),
        ("2026-01-15T24:00:00Z", "bad_timestamp"),
        ("2026-01-15T10:15:60Z", "bad_timestamp"),
        ("2026-01-15T10:15.5Z", "bad_timestamp"),
        ("2026-01-15T10:15:00.Z", "bad_timestamp"),
        ("2026-01-15t10:15:00z", None),
        ("2026-01-15T10:15:00+0530", None),
        ("2026-01-15T10:15:00-05", None),
        ("2026-01-15T10:15:00+053", "bad_timestamp"),
        ("2026-01-15T10:15:00+24:00", "bad_timestamp"),
        ("2026-01-15T10:15:00Z ", "bad_timestamp"),
        ("２026-01-15T10:15:00Z", "bad_timestamp"),  # noqa: RUF001 - a digit that is not ASCII is the point
    ],
)
def test_a_timestamp_is_read_or_refused_by_the_letter(text: str, reason: str | None) -> None:
    assert reasons(record(timestamp=f'"{text}"')) == ([reason] if reason else [])


def test_an_offset_is_taken_off_and_fine_digits_are_cut() -> None:
    reading = read_object("events/a.json", record(timestamp='"2026-01-15 10:15:00.1234569+05:30"').encode(), NOW)
    assert moment(reading.events[0].at) == datetime(2026, 1, 15, 4, 45, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"worker_id": '"  W1 "'}, None),
        ({"worker_id": f'"{"é" * 64}"'}, None),
        ({"worker_id": '"' + "\\ud83d\\ude00" * 64 + '"'}, None),
        ({"worker_id": f'"{"e" * 65}"'}, "bad_identifier"),
        ({"worker_id": '"   "'}, "bad_identifier"),
        ({"worker_id": '"\\ud800"'}, "bad_identifier"),
        ({"worker_id": "7"}, "bad_identifier"),
        ({"worker_id": "null"}, None),
        ({"worker_id": "", "timestamp": "7"}, "bad_timestamp"),
        ({"workstation_id": "null"}, "missing_field"),
        ({"workstation_id": "", "timestamp": "7"}, "missing_field"),
        ({"site_id": '""'}, "bad_identifier"),
        ({"site_id": "null"}, None),
        ({"model_version": "1.5"}, "bad_identifier"),
        ({"event_type": '"Working"'}, "unknown_event_type"),
        ({"event_type": "[]", "confidence": "2"}, "unknown_event_type"),
        ({"confidence": '"high"'}, "confidence_out_of_range"),
        ({"confidence": "true"}, "confidence_out_of_range"),
        ({"confidence": "1e400"}, "confidence_out_of_range"),
        ({"confidence": "-0.0"}, None),
        ({"confidence": "10e-1"}, None),
        ({"count": "1000000"}, None),
        ({"count": "-0"}, None),
        ({"count": "1000001"}, "bad_count"),
        ({"count": "1.0"}, None),
        ({"count": "1e1"}, None),
        ({"count": "1.5"}, "bad_count"),
        ({"count": "1e7"}, "bad_count"),
        ({"count": "-1"}, "bad_count"),
        ({"count": "9" * 5000}, "bad_count"),
        ({"count": '"1"'}, "bad_count"),
        ({"count": "NaN"}, "malformed_json"),
    ],
)
def test_a_field_is_read_or_refused_with_the_first_reason(changes: dict[str, str], reason: str | None) -> None:
    assert reasons(record(**changes)) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (0, [])),
        (b"\xef\xbb\xbf \r\n", (0, [])),
        (f"\ufeff{GOOD}\r\n{GOOD}\r\n".encode(), (2, [])),
        (f"[{GOOD},\n 7, [] , {GOOD}]".encode(), (2, [(2, "not_an_object", "7"), (3, "not_an_object", "[]")])),
        (b"[]", (0, [])),
        (b"\n 7\n", (0, [(1, "not_an_object", "7")])),
        (f"\n{GOOD}\n\t \n x \n".encode(), (1, [(4, "malformed_json", "x")])),
        (f"{GOOD}\n\xe9\n".encode("latin-1"), (1, [(2, "malformed_json", "\ufffd")])),
        (f"{GOOD}\n\x0b\n".encode(), (1, [(2, "malformed_json", "\x0b")])),
    ],
)
def test_an_object_is_one_value_or_an_array_or_lines(
    content: bytes, expected: tuple[int, list[tuple[int, str, str]]]
) -> None:
    reading = read_object("events/a.json", content, NOW)
    rejected = [(each.position, each.reason, each.payload) for each in reading.rejected]
    assert (len(reading.accepted), rejected) == expected


def test_a_compressed_object_that_is_cut_off_gives_what_is_whole_and_one_rejected_record() -> None:
    content = f"{GOOD}\n{GOOD}\n".encode()
    for key, whole in (
        ("events/a.json.gz", gzip.compress(content) + gzip.compress(content)),
        ("events/a.json.zst", zstandard.compress(content) + zstandard.compress(content)),
    ):
        assert len(read_object(key, whole, NOW).accepted) == 4
        cut = read_object(key, whole[:-3], NOW)
        assert (len(cut.accepted) in (2, 4), cut.rejected) == (True, [Rejection(0, 1, "malformed_json", None)])
        assert len(read_object(key, content, NOW).accepted) == 2
        assert read_object(key, b"", NOW).records == 0


def test_the_last_folder_that_says_something_supplies_a_field_that_is_absent() -> None:
    key = "events/site_id=a/camera_id=%20/site_id= b /site_id= /site_id=file.jsonl"
    (own,) = read_object(key, record().encode(), NOW).events
    assert (own.site_id, own.camera_id) == ("b", "unknown")
    assert read_object(key, record(site_id='"c"').encode(), NOW).events[0].site_id == "c"
    assert reasons(record(), f"events/site_id={'x' * 65}/a.json") == ["bad_identifier"]


def test_unexpected_fields_are_named_over_rejected_records_too() -> None:
    content = f'{GOOD}\n{{"zone": 1, "zone": 2, "\\ud800": 3, "worker_id": {{"inner": 1}}}}\n'
    assert read_object("events/a.jsonl", content.encode(), NOW).unexpected_fields == ["zone", "\ufffd"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("events/a.json", True),
        ("events/site_id=x/b.ndjson.zst", True),
        ("events/a.part/b.json", True),
        ("events/.a/b.json", False),
        ("events/_a.json", False),
        ("events/a.json.part", False),
        ("events/a.txt", False),
        ("labels/a.json", False),
    ],
)
def test_ignored_keys_are_ignored(key: str, expected: bool) -> None:
    assert is_event_object(key) is expected


def test_json_is_read_to_any_depth_and_nothing_else_is_json() -> None:
    assert whole_value(' {"a": [1, {"b": -0.5e+3}], "a": [[], {}, "\\ud83d\\ude00"]} ') == {"a": [[], {}, "😀"]}
    assert whole_value("1.0") == Number("1.0")
    assert whole_value("[" * 100_000 + "]" * 100_000)
    for text in (
        "",
        "01",
        "+1",
        ".5",
        "1.",
        "NaN",
        "-Infinity",
        "[1,]",
        '{"a":1,}',
        "{a:1}",
        '"\t"',
        "'a'",
        "[1}",
        "1 2",
    ):
        with pytest.raises(NotJson):
            whole_value(text)


def test_mean_utilization_is_not_diluted_by_people_who_were_absent() -> None:
    start = datetime(2026, 1, 15, 10, tzinfo=UTC)
    events = [
        event(start.isoformat()),
        event(start.isoformat(), "absent", worker_id="W2"),
        event((start + timedelta(minutes=10)).isoformat(), "idle"),
    ]
    (row,) = compute_marts(events, Registry(), Settings(), NOW)["site_shifts"]
    assert (row["average_utilization"], row["worker_count"]) == (0.25, 2)
