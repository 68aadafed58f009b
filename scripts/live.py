"""`floorhouse live`: a simulated plant that runs now, with its daemon, its report and Dagster's pages.

The cameras' files come as time goes by, so that the running shift moves on an open page. With a speed above one the
plant starts twelve hours ago and catches up. It decides nothing about data.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion.durable import write_whole
from ingestion.errors import FloorhouseError
from ingestion.settings import Settings, read_settings
from scripts.demo import landing_folder
from scripts.steps import Progress, Step, StepError
from simulator.arguments import Arguments
from simulator.simulation import simulate

FILES_EVERY_SECONDS = 15.0
BEHIND = timedelta(hours=12)
DAYS = 8  # the day of the start, in UTC, and a week


class LiveError(FloorhouseError):
    """The simulated plant cannot run here; the message says why."""


@dataclass(frozen=True)
class PlantClock:
    """The time in the plant: `begins_at` when the machine's clock shows `began_at`, `speed` times as fast until now."""

    begins_at: datetime
    began_at: datetime
    speed: float

    def at(self, now: datetime) -> datetime:
        """The plant's time when the machine's clock shows `now`; never later than `now`."""
        return min(now, self.begins_at + (now - self.began_at) * self.speed)


def clock_of(truth: Path, now: datetime, speed: float) -> PlantClock:
    """The clock of the plant whose truth lies in this folder: a new one, or that of an earlier start.

    Raises:
        LiveError: the plant's days are over.
    """
    note = truth / "live.json"
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        begins_at = now if speed == 1 else now - BEHIND
        write_whole(note, json.dumps({"begins_at": begins_at.isoformat(), "began_at": now.isoformat(), "speed": speed}))
    stored = json.loads(note.read_text(encoding="utf-8"))
    clock = PlantClock(
        datetime.fromisoformat(stored["begins_at"]), datetime.fromisoformat(stored["began_at"]), stored["speed"]
    )
    if clock.at(now).date() >= clock.begins_at.date() + timedelta(days=DAYS):
        raise LiveError(f"The plant of {truth.parent} was simulated for {DAYS} days; remove that folder for a new one.")
    return clock


def send_files(landing: Path, truth: Path, clock: PlantClock, now: datetime) -> int:
    """Write what the cameras send up to now, and return the number of files so far."""
    arguments = Arguments(
        landing=landing,
        truth=truth,
        start=clock.begins_at.date(),
        days=DAYS,
        sites=2,
        cameras=12,
        workers=40,
        seed=7,
        objects_per_camera_hour=60,
        until=clock.at(now).replace(microsecond=0),
    )
    return simulate(arguments).objects


def run_live(settings: Settings, progress: Progress, speed: float, port: int, dagster_port: int) -> None:
    """Run until somebody stops it.

    Raises:
        FloorhouseError: the plant cannot run here.
        StepError: a program of the plant ended.
    """
    truth = settings.data_dir / "live-truth"
    landing = landing_folder(settings, truth)
    clock = clock_of(truth, datetime.now(UTC), speed)
    with ExitStack() as started:

        def start(name: str, *command: str, seconds_to_end: float = 10) -> Step:
            step = Step(name, command, progress, seconds_to_end=seconds_to_end)
            started.callback(step.end)
            return step

        pages = start("pages", "reports.shell")
        progress.say("cameras", f"{send_files(landing, truth, clock, datetime.now(UTC)):,} files of the first hours")
        pages.finish()
        plant = start("plant", "floorhouse", "dev", f"--port={dagster_port}", seconds_to_end=90)
        programs = [plant]
        while True:
            if len(programs) == 1 and (settings.site_path / "index.html").exists():
                programs.append(start("report", "floorhouse", "serve", f"--port={port}"))
                progress.say("report", f"look at http://127.0.0.1:{port}/board/ (stop everything with Ctrl-C)")
            for program in programs:
                if program.has_ended():
                    program.finish()
                    raise StepError(f"The step {program.name!r} has ended.")
            time.sleep(FILES_EVERY_SECONDS)
            send_files(landing, truth, clock, datetime.now(UTC))


def live(speed: float, port: int, dagster_port: int) -> int:
    """Run the plant. Returns exit status 0 after Ctrl-C.

    Raises:
        FloorhouseError: it cannot run here, or one of its programs ended.
    """
    try:
        run_live(read_settings(), Progress(), speed, port, dagster_port)
    except StepError as error:
        raise LiveError(f"\n{error}") from error
    except KeyboardInterrupt:
        print("\nStopped; the plant goes on when it is started again.", file=sys.stderr)
    return 0
