"""One simulation as a whole: it produces the same bytes again, and its summary is correct."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import SettingsError
from simulator import Arguments, simulate
from simulator.__main__ import closing_words, main
from tests.simulator.simulated import TYPES, Simulated, digests, simulate_plant

TINY = {"sites": 2, "cameras": 3, "workers": 8, "days": 2, "start": date(2026, 10, 24)}
# A change of the simulation changes this; then `FORMAT_OF_TRUTH` must rise as well, or old folders pass for new ones.
TINY_BUCKET = "26eaba51669226d391f516854d9f6b815e4251d23b055031c8d643e7d9c708e9"


def test_the_same_arguments_give_the_same_bytes_under_the_same_keys(tmp_path: Path) -> None:
    one, other = simulate_plant(tmp_path / "one", **TINY), simulate_plant(tmp_path / "other", **TINY)
    assert digests(one.arguments.landing) == digests(other.arguments.landing)
    assert digests(one.arguments.truth) == digests(other.arguments.truth)


def test_the_bytes_are_those_of_every_other_machine(tmp_path: Path) -> None:
    bucket = digests(simulate_plant(tmp_path, **TINY).arguments.landing)
    assert hashlib.sha256(json.dumps(bucket).encode()).hexdigest() == TINY_BUCKET


def test_another_seed_gives_other_events(tmp_path: Path) -> None:
    one, other = simulate_plant(tmp_path / "one", **TINY), simulate_plant(tmp_path / "other", **TINY, seed=8)
    first, second = digests(one.arguments.landing / "events"), digests(other.arguments.landing / "events")
    assert not {key for key in first.keys() & second.keys() if first[key] == second[key] and one.lines("events/" + key)}


def test_a_second_run_writes_nothing_even_when_the_bucket_was_emptied(tmp_path: Path) -> None:
    first = simulate_plant(tmp_path, **TINY)
    for path in (first.arguments.landing / "events").rglob("*.*"):
        path.unlink()  # as landing does, which moves objects to the archive
    again = simulate(first.arguments)
    assert again.already_done
    assert again.events == first.summary.events
    assert "nothing was written" in closing_words(again)
    assert not [path for path in (first.arguments.landing / "events").rglob("*") if path.is_file()]


def test_a_run_that_was_killed_is_done_again_with_the_same_bytes(tmp_path: Path) -> None:
    first = simulate_plant(tmp_path, **TINY)
    before = digests(tmp_path)
    (first.arguments.truth / "simulation.json").unlink()
    next((first.arguments.landing / "events").rglob("*.jsonl")).unlink()
    assert not simulate(first.arguments).already_done
    assert digests(tmp_path) == before


def test_a_simulation_that_ends_at_an_instant_goes_on_from_there_with_the_same_bytes(tmp_path: Path) -> None:
    whole = simulate_plant(tmp_path / "whole", **TINY)
    first = simulate_plant(tmp_path / "parts", **TINY, until=datetime(2026, 10, 25, 9, 20, tzinfo=UTC))
    arrivals = {row["object_key"]: row["delivered_at"] for row in whole.truth("deliveries")}
    early = {key for key, at in arrivals.items() if at <= first.arguments.until}
    before = digests(first.arguments.landing)
    assert early == {key for key in before if key.startswith("events/")}
    assert first.summary.events < whole.summary.events

    for path in (first.arguments.landing / "events").rglob("*.*"):
        path.unlink()  # as landing does
    rest = simulate(replace(first.arguments, until=None))
    assert not rest.already_done
    assert before | digests(first.arguments.landing) == digests(whole.arguments.landing)
    assert (rest.events, rest.records, rest.objects, rest.bytes) == (
        whole.summary.events,
        whole.summary.records,
        whole.summary.objects,
        whole.summary.bytes,
    )
    assert simulate(first.arguments).already_done


def test_an_object_is_as_old_as_its_arrival(tmp_path: Path) -> None:
    plant = simulate_plant(tmp_path, **TINY)
    for row in plant.truth("deliveries"):
        modified = (plant.arguments.landing / row["object_key"]).stat().st_mtime
        assert modified == pytest.approx(row["delivered_at"].timestamp(), abs=0.001)


def test_another_plant_is_not_mixed_into_the_same_truth(tmp_path: Path) -> None:
    first = simulate_plant(tmp_path, **TINY)
    before = digests(tmp_path)
    with pytest.raises(SettingsError, match="holds another simulation"):
        simulate(replace(first.arguments, seed=8))
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sites": 0}, "--sites is 0, allowed: 1 or more."),
        ({"cameras": 1}, "--cameras is 1, allowed: 2 or more."),
        ({"seed": -1}, "--seed is -1, allowed: 0 or more."),
        ({"objects_per_camera_hour": 7}, "--objects-per-camera-hour is 7, allowed: a divisor of 60."),
        ({"truth": Path("bucket/truth")}, "must lie outside the bucket"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_simulated_is_refused_in_one_sentence(wrong: dict[str, object], sentence: str) -> None:
    chosen: dict[str, object] = {"landing": Path("bucket"), "truth": Path("truth")} | wrong
    with pytest.raises(SettingsError, match=sentence):
        Arguments(**chosen)  # type: ignore[arg-type]


def test_the_summary_counts_what_is_in_the_bucket(small_plant: Simulated) -> None:
    summary = small_plant.summary
    files = [path for path in small_plant.arguments.landing.rglob("*") if path.is_file()]
    deliveries = small_plant.truth("deliveries")
    assert summary.objects == len(files) == len(deliveries) + 6  # and the six files of the registry
    assert summary.bytes == sum(path.stat().st_size for path in files)
    assert summary.records == sum(row["records"] for row in deliveries)
    assert summary.records > summary.events
    assert sum(summary.malformed.values()) == sum(row["malformed_records"] for row in deliveries)
    assert summary.events_per_second == summary.events / summary.seconds


def test_the_mix_of_events_is_near_that_of_a_plant_at_work(events: list[dict[str, Any]]) -> None:
    mix = Counter(event["event_type"] for event in events)
    shares = {name: mix[name] / mix.total() for name in TYPES}
    expected = {"working": 0.70, "idle": 0.20, "absent": 0.05, "product_count": 0.05}
    assert shares == pytest.approx(expected, abs=0.04)


def test_every_event_lies_in_the_simulated_days(events: list[dict[str, Any]]) -> None:
    instants = [event["at"] for event in events]
    assert min(instants) >= datetime(2026, 10, 19, tzinfo=UTC)
    assert max(instants) < datetime(2026, 10, 27, tzinfo=UTC)


def test_the_command_prints_its_progress_and_its_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ["--landing", str(tmp_path / "landing"), "--truth", str(tmp_path / "truth")]
    plant = ["--sites", "1", "--cameras", "2", "--workers", "4", "--days", "2", "--seed", "3"]
    assert main([*folders, *plant]) == 0
    said = capsys.readouterr().out
    assert "hamburg: " in said
    assert "events/s" in said
    assert main([*folders, *plant, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_says_in_one_sentence_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--landing", str(tmp_path / "landing"), "--truth", str(tmp_path / "truth"), "--days", "0"]) == 1
    assert capsys.readouterr().err == "--days is 0, allowed: 1 or more.\n"
