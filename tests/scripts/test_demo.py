"""Where the demo may run, and how its steps are shown and end."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.settings import Settings
from scripts.demo import DemoError, end_of_plant, landing_folder, truth_folder
from scripts.steps import Progress, Step, StepError


def write_module(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> list[str]:
    """A command for a Step: a module with this code."""
    (folder / "made_up_step.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return ["made_up_step"]


def test_the_demo_takes_an_empty_bucket_and_its_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert landing_folder(settings) == tmp_path / "landing"

    truth_folder(settings).mkdir()
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "day.jsonl").write_text("")
    assert landing_folder(settings) == tmp_path / "landing"


def test_the_demo_refuses_a_bucket_with_somebody_elses_objects(tmp_path: Path) -> None:
    (tmp_path / "landing" / "events").mkdir(parents=True)
    (tmp_path / "landing" / "events" / "day.jsonl").write_text("{}")

    with pytest.raises(DemoError, match="not the demo's"):
        landing_folder(Settings(data_dir=tmp_path))


def test_the_demo_refuses_a_bucket_that_is_not_on_this_machine(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="s3://plant"):
        landing_folder(Settings(data_dir=tmp_path, landing_url="s3://plant"))


def test_the_demo_refuses_to_go_on_with_a_bucket_that_was_emptied(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    truth_folder(settings).mkdir()
    (truth_folder(settings) / "simulation.json").write_text("{}")

    with pytest.raises(DemoError, match="emptied"):
        landing_folder(settings)


def test_the_demos_days_end_when_it_is_started_first_and_at_that_instant_later(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = datetime(2026, 11, 24, 9, 15, 30, 5, tzinfo=UTC)

    assert end_of_plant(settings, first) == datetime(2026, 11, 24, 9, 15, 30, tzinfo=UTC)
    assert end_of_plant(settings, first + timedelta(days=3)) == datetime(2026, 11, 24, 9, 15, 30, tzinfo=UTC)


def test_a_refused_demo_ends_with_one_sentence(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "floorhouse", "demo"],
        env={"FLOORHOUSE_DATA_DIR": str(tmp_path), "FLOORHOUSE_LANDING_URL": "s3://plant/events"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 1
    assert process.stderr.strip().splitlines() == [
        "The demo needs a local bucket and FLOORHOUSE_LANDING_URL is s3://plant/events; unset it."
    ]


def test_lines_are_shown_with_the_steps_name_until_those_that_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = write_module(
        tmp_path, monkeypatch, "print('working')\nprint()\nprint('Done in 1 s')\nprint('  3 events')"
    )

    step = Step("batch", command, Progress(), hold_from="Done")
    step.finish()

    assert [line.split("] ")[1] for line in capsys.readouterr().out.splitlines()] == ["batch     working"]
    assert step.held == ["Done in 1 s", "  3 events"]


def test_a_step_that_fails_says_so_with_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = write_module(tmp_path, monkeypatch, "import sys\nprint('working')\nsys.exit('The disk is full.')")

    with pytest.raises(StepError, match=r"'batch' failed with status 1: The disk is full\."):
        Step("batch", command, Progress()).finish()


def test_ending_a_step_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    step = Step("pages", write_module(tmp_path, monkeypatch, "import time\ntime.sleep(600)"), Progress())

    step.end()

    with pytest.raises(StepError):
        step.finish()
    assert time.monotonic() - began < 60


def test_a_step_that_does_not_hear_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)"
    )
    step = Step("pages", write_module(tmp_path, monkeypatch, code), Progress(), seconds_to_end=0.2)
    began = time.monotonic()
    while "deaf" not in capsys.readouterr().out and time.monotonic() - began < 60:
        time.sleep(0.05)

    step.end()

    with pytest.raises(StepError, match="status -9"):
        step.finish()
