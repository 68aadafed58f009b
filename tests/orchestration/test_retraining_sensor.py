from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import dagster as dg
import pytest

from ingestion.settings import Settings
from orchestration.sensors.retraining import (
    hand_over_request,
    requests_to_hand_over,
    retraining_sensor,
    waiting_requests,
)

MANIFEST = {
    "request_id": "r1",
    "site_id": "A",
    "model_name": "m",
    "model_version": "1",
    "reason": "accuracy",
    "sentence": "People agree too seldom.",
    "training_set": {"rows": 12},
}


def ask(settings: Settings, name: str) -> Path:
    """A complete request in the outbox."""
    folder = settings.outbox_path / "retraining" / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, "request_id": name}))
    return folder


def tick(settings: Settings, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(cursor=cursor, resources={"settings": settings})
    result = retraining_sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def hand_over(settings: Settings, name: str) -> dg.ExecuteInProcessResult:
    return hand_over_request.execute_in_process(
        run_config={"ops": {"hand_over": {"config": {"request_id": name}}}},
        resources={"settings": settings},
        raise_on_error=False,
    )


@pytest.mark.parametrize(
    ("waiting", "handed_over", "new"),
    [([], [], []), (["b", "a"], [], ["a", "b"]), (["a", "b"], ["a"], ["b"]), ([], ["a"], [])],
    ids=str,
)
def test_a_request_is_handed_over_once(waiting: list[str], handed_over: list[str], new: list[str]) -> None:
    assert requests_to_hand_over(waiting, handed_over) == new


def test_each_new_request_is_a_run_of_its_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert isinstance(tick(settings), dg.SkipReason)
    ask(settings, "r1")
    ask(settings, ".r0.part")  # still being written
    assert waiting_requests(settings.outbox_path / "retraining") == ["r1"]
    first = tick(settings)
    assert isinstance(first, dg.SensorResult)
    assert [request.run_key for request in first.run_requests or []] == ["r1"]
    ask(settings, "r2")
    second = tick(settings, first.cursor)
    assert isinstance(second, dg.SensorResult)
    assert [request.run_key for request in second.run_requests or []] == ["r2"]
    assert isinstance(tick(settings, second.cursor), dg.SkipReason)


def test_a_run_records_the_request_and_starts_the_trainer_with_its_manifest(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = f"import sys; open({str(said)!r}, 'w').write(sys.argv[-1])"
    settings = Settings(data_dir=tmp_path / "data dir", trainer_command=shlex.join([sys.executable, "-c", program]))
    folder = ask(settings, "r1")
    result = hand_over(settings, "r1")
    assert result.success
    assert said.read_text() == str(folder / "manifest.json")
    [observed] = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    assert observed.asset_key == dg.AssetKey(["marts", "retraining_requests"])


def test_without_a_command_a_run_records_the_request_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    ask(settings, "r1")
    result = hand_over(settings, "r1")
    assert result.success
    assert [event.event_type_value for event in result.all_events].count("ASSET_OBSERVATION") == 1


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (shlex.join([sys.executable, "-c", "print('no disk'); raise SystemExit(3)"]), "ended with status 3: no disk"),
        ("/no/such/trainer --now", "cannot be started"),
    ],
)
def test_a_trainer_that_fails_is_a_failed_run_that_says_why(tmp_path: Path, command: str, told: str) -> None:
    settings = Settings(data_dir=tmp_path, trainer_command=command)
    ask(settings, "r1")
    result = hand_over(settings, "r1")
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert told in str(data.description)
