"""`floorhouse demo`: a simulated plant from camera files to the report, then what was found and how far off it is.

Starts the same commands that a plant uses and decides nothing about data. A second run does only what changed.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ingestion.errors import FloorhouseError
from ingestion.settings import Settings, read_settings
from scripts.steps import Progress, Step, StepError

PLANT = ("--sites=2", "--cameras=12", "--workers=40", "--days=30", "--start=2026-10-19", "--seed=7")
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


def run_demo(settings: Settings, progress: Progress) -> list[str]:
    """Simulate, run a batch, label its sample, run another, build the pages, then compare with the truth.

    StepError when a step fails. Returns the batch's closing lines, which are to be the last thing on the screen.
    """
    landing, truth = landing_folder(settings), truth_folder(settings)
    commands = {
        # The pages take a minute or two of Node whatever the data, so they are built beside everything else;
        # the batch waits for them where it needs them.
        "pages": ["reports.shell"],
        "simulate": ["simulator", f"--landing={landing}", f"--truth={truth}", *PLANT],
        "sample": ["floorhouse", "run", "--no-site"],
        "batch": ["floorhouse", "run"],
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
        closing = run_demo(read_settings(), progress)
    except StepError as error:
        raise DemoError(f"\n{error}") from error
    except KeyboardInterrupt:
        print("\nInterrupted; make demo goes on from here.", file=sys.stderr)
        return 130
    print(f"\nFrom camera files to the report in {progress.seconds:.0f} s.", *closing, sep="\n")
    print("\nLook at it: make serve, then http://127.0.0.1:8080")
    return 0
