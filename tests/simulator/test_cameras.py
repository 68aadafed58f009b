"""What the cameras report: presence, shared scenes, confidence, drift, silence and clocks."""

from bisect import bisect
from collections import defaultdict
from datetime import datetime, timedelta
from statistics import mean
from typing import Any

from simulator import plan_fleet
from tests.simulator.simulated import Simulated, hours


def test_events_come_only_from_workers_who_are_on_site(small_plant: Simulated, events: list[dict[str, Any]]) -> None:
    on_site: dict[tuple[str, str], list[tuple[Any, Any]]] = defaultdict(list)
    for row in small_plant.truth("timeline"):
        on_site[row["site_id"], row["worker_id"]].append((row["started_at"], row["ended_at"]))
    stays = {key: _joined(sorted(spans)) for key, spans in on_site.items()}
    (wrong_clock,) = small_plant.episodes("wrong_clock")
    ordinary, worst = hours(3 / 3600), hours(100 / 3600)
    for event in events:
        hit = event["site_id"] == wrong_clock["site_id"] and _during(event["at"], wrong_clock, worst)
        slack = worst if hit else ordinary
        spans = stays[event["site_id"], event["worker_id"]]
        assert any(start - slack <= event["at"] <= end + slack for start, end in spans)


def test_two_cameras_on_one_scene_report_the_same_key_with_their_own_confidence(events: list[dict[str, Any]]) -> None:
    shared = {
        (site.site_id, station.workstation_id): {
            site.cameras[station.camera].camera_id,
            site.cameras[station.second_camera].camera_id,
        }
        for site in plan_fleet(sites=2, cameras=6, workers=18, seed=7).sites
        for station in site.stations
        if station.second_camera >= 0
    }
    pairs: dict[tuple[Any, ...], dict[str, float]] = defaultdict(dict)
    for event in events:
        key = (event["site_id"], event["at"], event["worker_id"], event["workstation_id"], event["event_type"])
        pairs[key][event["camera_id"]] = event["confidence"]
    both = {key: seen for key, seen in pairs.items() if len(seen) > 1}
    assert {(key[0], key[3]) for key in both} == shared.keys()
    assert all(seen.keys() == shared[key[0], key[3]] for key, seen in both.items())
    assert mean(len(set(seen.values())) > 1 for seen in both.values()) > 0.9
    on_shared = [key for key in pairs if (key[0], key[3]) in shared]
    assert len(both) > len(on_shared) * 0.75


def test_a_bad_model_update_lowers_confidence_while_it_runs(
    small_plant: Simulated, events: list[dict[str, Any]]
) -> None:
    (drift,) = small_plant.episodes("drift")
    here = [event for event in events if event["site_id"] == drift["site_id"]]
    during = [event for event in here if _during(event["at"], drift)]
    before = [event["confidence"] for event in here if event["at"] < drift["started_at"]]
    after = [event["confidence"] for event in here if event["at"] >= drift["ended_at"]]
    assert {event["model_version"] for event in during} == {"1.5.0"}
    assert mean(event["confidence"] for event in during) < mean(before) - 0.10
    assert mean(after) > mean(before)
    assert {event["model_version"] for event in here} == {"1.4.0", "1.5.0", "1.5.1"}


def test_the_drift_shows_in_the_mix_of_events_too(small_plant: Simulated, events: list[dict[str, Any]]) -> None:
    (drift,) = small_plant.episodes("drift")
    here = [event for event in events if event["site_id"] == drift["site_id"]]
    idle_share = {
        hit: mean(event["event_type"] == "idle" for event in here if _during(event["at"], drift) is hit)
        for hit in (True, False)
    }
    assert idle_share[True] > idle_share[False] + 0.02


def test_false_detections_are_less_sure_than_true_ones(small_plant: Simulated, events: list[dict[str, Any]]) -> None:
    true_state: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(small_plant.truth("timeline"), key=lambda one: one["started_at"]):
        if row["site_id"] == "chicago":  # whose clocks are nearly right
            true_state[row["worker_id"]].append(row)
    starts = {worker: [row["started_at"] for row in rows] for worker, rows in true_state.items()}
    sure: dict[bool, list[float]] = {True: [], False: []}
    for event in events:
        if (
            event["site_id"] == "chicago"
            and event["model_version"] == "1.4.0"
            and event["event_type"] != "product_count"
        ):
            worker = event["worker_id"]
            row = true_state[worker][max(0, bisect(starts[worker], event["at"]) - 1)]
            # Clocks are off by up to 1.5 s, so only events well within a state can be judged.
            if row["started_at"] + hours(4 / 3600) < event["at"] < row["ended_at"] - hours(4 / 3600):
                sure[row["state"] == event["event_type"]].append(event["confidence"])
    assert len(sure[False]) > 10
    assert len(sure[False]) < len(sure[True]) / 20
    assert mean(sure[False]) < mean(sure[True]) - 0.15


def test_a_silent_camera_sends_nothing_while_the_other_camera_on_its_scene_goes_on(
    small_plant: Simulated, events: list[dict[str, Any]]
) -> None:
    (silent,) = small_plant.episodes("silent_camera")
    here = [event for event in events if event["site_id"] == silent["site_id"] and _during(event["at"], silent)]
    margin = hours(2 / 3600)  # its clock may be off
    inner = [event for event in here if _during(event["at"] - margin, silent) and _during(event["at"] + margin, silent)]
    assert silent["camera_id"] not in {event["camera_id"] for event in inner}
    assert {event["camera_id"] for event in inner}
    folder = f"events/site_id={silent['site_id']}/camera_id={silent['camera_id']}/"
    gone = range(silent["started_at"].hour, min(24, silent["started_at"].hour + 3))
    names = {f"{folder}{silent['started_at']:%Y-%m-%d}/T{hour:02d}" for hour in gone}
    keys = {row["object_key"].partition(".")[0] for row in small_plant.truth("deliveries")}
    assert not names & keys


def test_a_product_count_carries_its_batch_and_no_other_event_a_count(events: list[dict[str, Any]]) -> None:
    counts = [event["count"] for event in events if event["event_type"] == "product_count"]
    assert mean(counts) > 5
    assert not [event for event in events if "count" in event and event["event_type"] != "product_count"]


def _during(at: datetime, episode: dict[str, Any], slack: timedelta = timedelta(0)) -> bool:
    return bool(episode["started_at"] - slack <= at < episode["ended_at"] + slack)


def _joined(spans: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    joined = [spans[0]]
    for start, end in spans[1:]:
        if start == joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
