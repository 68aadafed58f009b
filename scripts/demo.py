"""`floorhouse demo`: a simulated plant from camera files to the report, then what was found and how far off it is.

Starts the same commands that a plant uses and decides nothing about data. A second run does only what changed.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ingestion.durable import write_whole
from ingestion.errors import FloorhouseError
from ingestion.settings import Settings, read_settings
from scripts.steps import Progress, Step, StepError

PLANT = ("--sites=2", "--cameras=12", "--workers=40", "--seed=7")
DAYS = 30
# What arrived in the last minutes lands in a batch of its own, so that its files are as late as a plant's are.
NEWEST_FILES = timedelta(minutes=100)
CLOSING_LINE = "Batch finished"  # from here on a batch says what it found


class DemoError(FloorhouseError):
    """The demo must not run here; the text is one sentence that says why."""


def landing_folder(settings: Settings) -> Path:
    """The bucket as a folder; DemoError when simulated events would go where a plant's own are."""
    if not settings.landing_url.startswith("file:"):
        raise DemoError(
            f"The demo needs a local bucket and FLOORHOUSE_LANDING_URL is {settings.landing_url}; unset it."
        )
    landing = Path(unquote(urlsplit(settings.landing_url).path))
    simulated = truth_folder(settings).exists()  # also half, when interrupted: the simulator does the rest
    used = landing.exists() and any(path.is_file() for path in landing.rglob("*"))
    if used and not simulated:
        raise DemoError(
            f"The bucket {landing} holds objects that are not the demo's; set FLOORHOUSE_DATA_DIR to another folder."
        )
    if (truth_folder(settings) / "simulation.json").exists() and not used:
        raise DemoError(f"The demo's bucket {landing} was emptied by hand; set FLOORHOUSE_DATA_DIR to another folder.")
    return landing


def truth_folder(settings: Settings) -> Path:
    """Where the simulator keeps what truly happened: outside the bucket, so that no batch can read it."""
    return settings.data_dir / "demo-truth"


def end_of_plant(settings: Settings, now: datetime) -> datetime:
    """The instant at which the simulated days end: `now` (UTC) at the first demo of a data folder, the same one later.

    A demo that goes on, or is done again, simulates the same plant.
    """
    note = truth_folder(settings) / "demo.json"
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, json.dumps({"ends_at": now.replace(microsecond=0).isoformat()}))
    return datetime.fromisoformat(json.loads(note.read_text(encoding="utf-8"))["ends_at"])


def run_demo(settings: Settings, progress: Progress, now: datetime) -> list[str]:
    """Simulate, run a batch, label its sample, run another, build the pages, then compare with the truth.

    The plant's days end at `now`, and what it sends lands in two batches in the order in which it was sent. Each has
    the clock of its day.
    StepError when a step fails. Returns the batch's closing lines, which are to be the last thing on the screen.
    """
    landing, truth = landing_folder(settings), truth_folder(settings)
    end = end_of_plant(settings, now)
    start_date = (end - timedelta(days=DAYS)).date()
    simulator = [
        "simulator",
        f"--landing={landing}",
        f"--truth={truth}",
        *PLANT,
        f"--start={start_date}",
        f"--days={DAYS + 1}",
    ]
    before = end - NEWEST_FILES
    commands = {
        # The pages take a minute or two of Node whatever the data, so they are built beside everything else;
        # the batch waits for them where it needs them.
        "pages": ["reports.shell"],
        "simulate": [*simulator, f"--until={before.isoformat()}"],
        "go on": [*simulator, f"--until={end.isoformat()}"],
        "sample": ["floorhouse", "run", "--no-site", f"--clock={before.isoformat()}"],
        "batch": ["floorhouse", "run", f"--clock={end.isoformat()}"],
        "review": [
            "simulator.labels",
            f"--landing={landing}",
            f"--truth={truth}",
            f"--published={settings.published_path}",
        ],
        "accuracy": ["simulator.accuracy", f"--truth={truth}", f"--published={settings.published_path}"],
    }
    with ExitStack() as started:

        def start(name: str, **showing: Any) -> Step:
            step = Step(name, commands[name], progress, **showing)
            started.callback(step.end)
            return step

        pages = start("pages")
        start("simulate").finish()
        start("sample", hold_from=CLOSING_LINE, is_named=False).finish()
        # People label the sample that a batch drew; the next one lands what they say.
        start("review").finish()
        start("go on").finish()
        batch = start("batch", hold_from=CLOSING_LINE, is_named=False)
        batch.finish()
        pages.finish()
        start("accuracy").finish()
    return batch.held


def demonstrate() -> int:
    """Run the demo and return exit status 0 after its summary, 130 when it was interrupted.

    Raises:
        FloorhouseError: it must not run here, or a step failed.
    """
    progress = Progress()
    try:
        closing = run_demo(read_settings(), progress, datetime.now(UTC))
    except StepError as error:
        raise DemoError(f"\n{error}") from error
    except KeyboardInterrupt:
        print("\nInterrupted; make demo goes on from here.", file=sys.stderr)
        return 130
    print(f"\nFrom camera files to the report in {progress.seconds:.0f} s.", *closing, sep="\n")
    print("\nLook at it: make serve, then http://127.0.0.1:8080")
    return 0
