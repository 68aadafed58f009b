"""From the cameras to the bucket: formats, rejects, retries, late objects, and an outage with its backlog."""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract.events import REASONS
from simulator.malformed import spoil
from simulator.objects import FolderBucket
from tests.simulator.simulated import Simulated, instant, reason, simulate_plant

LINE = (
    b'{"timestamp":"2026-10-19T08:15:00.000Z","worker_id":"W01","workstation_id":"S01",'
    b'"event_type":"working","confidence":0.93}'
)


@pytest.mark.parametrize("variant", [0, 1], ids=["first way", "second way"])
@pytest.mark.parametrize("wanted", REASONS)
def test_a_spoiled_record_has_exactly_its_reason(wanted: str, variant: int) -> None:
    assert reason(LINE) is None
    assert reason(spoil(LINE, wanted, variant)) == wanted


def test_every_reason_of_the_contract_occurs_as_often_as_the_summary_says(small_plant: Simulated) -> None:
    found: Counter[str] = Counter()
    for delivery in small_plant.truth("deliveries"):
        lines = small_plant.lines(delivery["object_key"])
        reasons, records = [why for line in lines if (why := reason(line))], len(lines)
        assert (len(reasons), records) == (delivery["malformed_records"], delivery["records"])
        found.update(reasons)
    assert found == small_plant.summary.malformed
    assert set(found) == set(REASONS)


def test_objects_come_in_every_format_mostly_as_plain_lines(small_plant: Simulated) -> None:
    formats = Counter(row["object_key"].partition(".")[2] for row in small_plant.truth("deliveries"))
    assert formats.keys() == {"jsonl", "jsonl.gz", "json", "ndjson.zst"}
    assert formats["jsonl"] > formats.total() * 0.7


def test_some_records_leave_their_place_to_the_key_and_write_time_in_their_own_manner(small_plant: Simulated) -> None:
    manners: dict[str, set[str]] = defaultdict(set)
    for delivery in small_plant.truth("deliveries"):
        for line in small_plant.lines(delivery["object_key"]):
            if reason(line) is None:
                record = json.loads(line)
                manners["place"].add("in the record" if "site_id" in record else "in the key")
                manners["offset"].add(record["timestamp"][23:])
                manners["extra"].update(record.keys() & {"firmware"})
    assert manners["place"] == {"in the record", "in the key"}
    assert manners["offset"] == {"Z", "+02:00", "+01:00", "-05:00"}  # Hamburg in summer and in winter, Chicago
    assert manners["extra"] == {"firmware"}
    plain = [path.read_bytes() for path in (small_plant.arguments.landing / "events").rglob("*.jsonl")]
    assert any(b"\r\n" in content for content in plain)
    assert not all(b"\r\n" in content for content in plain if content)


def test_a_retry_is_the_same_content_under_another_key(small_plant: Simulated) -> None:
    landing, deliveries = small_plant.arguments.landing, small_plant.truth("deliveries")
    arrived = {row["object_key"]: row["delivered_at"] for row in deliveries}
    retries = [row for row in deliveries if row["cause"] == "retry"]
    truncated = {row["object_key"] for row in deliveries if row["cause"] == "truncated"}
    assert retries
    assert len(truncated) == 2  # one per site
    for retry in retries:
        original = retry["object_key"].replace("-retry", "")
        first, again = (landing / original).read_bytes(), (landing / retry["object_key"]).read_bytes()
        assert again[: len(first)] == first if original in truncated else again == first
        assert retry["delivered_at"] > arrived[original]


def test_some_events_are_sent_twice_within_an_object(small_plant: Simulated) -> None:
    for delivery in small_plant.truth("deliveries"):
        lines = small_plant.lines(delivery["object_key"])
        if len(set(lines)) < len([line for line in lines if reason(line) is None]):
            return
    pytest.fail("no record occurs twice")


def test_objects_are_written_in_the_order_of_arrival_and_late_ones_late(small_plant: Simulated) -> None:
    for site in ("hamburg", "chicago"):
        own = [row for row in small_plant.truth("deliveries") if f"site_id={site}/" in row["object_key"]]
        arrivals = [row["delivered_at"] for row in own]
        written = [os.stat(small_plant.arguments.landing / row["object_key"]).st_mtime_ns for row in own]
        assert arrivals == sorted(arrivals)
        assert written == sorted(written)
        hourly = [row for row in own if row["cause"] == "hourly"]
        late = [row for row in own if row["cause"] == "late"]
        assert late
        for row in late:
            # Objects of later hours are in the bucket before it.
            hour = "/".join(row["object_key"].partition(".")[0].split("/")[-2:])
            before = [one for one in hourly if one["delivered_at"] < row["delivered_at"]]
            assert any("/".join(one["object_key"].partition(".")[0].split("/")[-2:]) > hour for one in before)


def test_records_within_the_objects_are_out_of_order_and_some_belong_to_an_earlier_hour(small_plant: Simulated) -> None:
    disordered = stragglers = 0
    for delivery in small_plant.truth("deliveries"):
        lines = [line for line in small_plant.lines(delivery["object_key"]) if reason(line) is None]
        instants = [instant(json.loads(line)["timestamp"]) for line in lines]
        disordered += instants != sorted(instants)
        if delivery["cause"] == "hourly":
            hour = delivery["object_key"].partition(".")[0][-2:]
            stragglers += sum(f"{at:%H}" != hour for at in instants)
    assert disordered > 100
    assert stragglers > 20


def test_an_outage_ends_with_a_backlog_that_holds_all_of_it(
    small_plant: Simulated, events: list[dict[str, Any]]
) -> None:
    (outage,) = small_plant.episodes("outage")
    own = [row for row in small_plant.truth("deliveries") if f"site_id={outage['site_id']}/" in row["object_key"]]
    backlog = [row for row in own if row["cause"] == "backlog"]
    assert len(backlog) == 3  # one per camera of the site
    assert all(row["delivered_at"] >= outage["ended_at"] for row in backlog)
    in_backlog = 0
    for row in backlog:
        for line in small_plant.lines(row["object_key"]):
            in_backlog += reason(line) is None
    seen_then = [
        event
        for event in events
        if event["site_id"] == outage["site_id"] and outage["started_at"] <= event["at"] < outage["ended_at"]
    ]
    held = [event for event in seen_then if "backlog" in event["key"]]
    assert in_backlog > 100
    # All except late events, which a camera sent with a later hour.
    assert len(held) > len(seen_then) * 0.98
    # While the line is cut, no object of that time arrives.
    hours_of_it = {f"/{outage['started_at']:%Y-%m-%d}/T{outage['started_at'].hour + step:02d}" for step in range(2)}
    assert not [row for row in own if any(hour in row["object_key"] for hour in hours_of_it)]


def test_several_objects_an_hour_are_named_by_their_minute(tmp_path: Path) -> None:
    plant = simulate_plant(tmp_path, sites=1, cameras=1, workers=4, days=2, objects_per_camera_hour=4)
    names = {row["object_key"].rpartition("/")[2].partition(".")[0] for row in plant.truth("deliveries")}
    assert {"T0800", "T0815", "T0830", "T0845"} <= names


def test_an_object_appears_whole_and_leaves_no_unfinished_file(tmp_path: Path) -> None:
    bucket = FolderBucket(tmp_path)
    bucket.put("events/a/one.jsonl", b"{}\n")
    bucket.put("events/a/one.jsonl", b"")
    assert [path.name for path in (tmp_path / "events/a").iterdir()] == ["one.jsonl"]
    assert (tmp_path / "events/a/one.jsonl").read_bytes() == b""
    assert (bucket.objects, bucket.bytes) == (2, 3)
