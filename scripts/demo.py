"""`floorhouse demo`: runs a simulated plant from camera files to the report, then prints the findings and accuracy.

It starts the same commands as a plant and decides nothing about data. A second run repeats only what has changed.
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
# Files of the last minutes land in a separate batch, so that they are as late as in a real plant.
NEWEST_FILES = timedelta(minutes=100)
CLOSING_LINE = "Batch finished"  # the first line of a batch's findings


class DemoError(FloorhouseError):
    """The demo must not run here; the message says why."""


def landing_folder(settings: Settings, truth: Path | None = None) -> Path:
    """The bucket's folder. `truth` is the folder of the simulation that may go on in it: without it the demo's.

    Raises:
        DemoError: simulated events would be mixed with a plant's own, or the demo's bucket was emptied.
    """
    if not settings.landing_url.startswith("file:"):
        raise DemoError(
            f"The demo needs a local bucket and FLOORHOUSE_LANDING_URL is {settings.landing_url}; unset it."
        )
    landing = Path(unquote(urlsplit(settings.landing_url).path))
    # possibly incomplete after an interruption; the simulator adds the rest
    truth = truth or truth_folder(settings)
    simulated = truth.exists()
    used = landing.exists() and any(path.is_file() for path in landing.rglob("*"))
    if used and not simulated:
        raise DemoError(
            f"The bucket {landing} holds objects that are not the demo's; set FLOORHOUSE_DATA_DIR to another folder."
        )
    if (truth / "simulation.json").exists() and not used:
        raise DemoError(f"The demo's bucket {landing} was emptied by hand; set FLOORHOUSE_DATA_DIR to another folder.")
    return landing


def truth_folder(settings: Settings) -> Path:
    """The folder of the simulator's true timeline, outside the bucket so that no batch can read it."""
    return settings.data_dir / "demo-truth"


def end_of_plant(settings: Settings, now: datetime) -> datetime:
    """The end of the simulated days: `now` (UTC) at the first demo in a data folder, and that instant in later runs.

    A continued or repeated demo therefore simulates the same plant.
    """
    note = truth_folder(settings) / "demo.json"
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, json.dumps({"ends_at": now.replace(microsecond=0).isoformat()}))
    return datetime.fromisoformat(json.loads(note.read_text(encoding="utf-8"))["ends_at"])


def run_demo(settings: Settings, progress: Progress, now: datetime) -> list[str]:
    """Simulate, run a batch, label its sample, run a second batch, build the pages, and compare with the truth.

    The plant's days end at `now`. Its files land in two batches in the order in which they were sent, each with the
    clock of its day. Returns the batch's closing lines, to be printed last.

    Raises:
        DemoError: the demo must not run here.
        StepError: a step failed.
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
        # Node takes a minute or two for the pages, whatever the data. So they are built in parallel, and the batch
        # waits for them when it needs them.
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
        "accuracy": ["simulator.distance_from_truth", f"--truth={truth}", f"--published={settings.published_path}"],
    }
    with ExitStack() as started:

        def start(name: str, **showing: Any) -> Step:
            step = Step(name, commands[name], progress, **showing)
            started.callback(step.end)
            return step

        pages = start("pages")
        start("simulate").finish()
        start("sample", hold_from=CLOSING_LINE, is_named=False).finish()
        # Reviewers label the sample that a batch drew; the next batch lands the labels.
        start("review").finish()
        start("go on").finish()
        batch = start("batch", hold_from=CLOSING_LINE, is_named=False)
        batch.finish()
        pages.finish()
        start("accuracy").finish()
    return batch.held


def demonstrate() -> int:
    """Run the demo. Returns exit status 0 after its summary, or 130 if it was interrupted.

    Raises:
        FloorhouseError: the demo must not run here, or a step failed.
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
