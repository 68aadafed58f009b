"""Opens the served site in a headless Chromium, for tests and screenshots. Reports what it sees without judging it."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.errors import ReportError
from reports.node import find_node
from reports.shell import REPORTS_FOLDER

WIDTHS = (1440, 390)  # an office screen and a phone, in CSS pixels


@dataclass(frozen=True)
class Visit:
    """A page to open: its path, the width in pixels, a name for its picture, what to choose in its selects, JavaScript
    to run once it shows its figures (what it returns is the `answer`), light or dark, on screen or on paper; `check`
    looks for what keeps people from reading it, `fresh` begins with an empty cache, `now` is what the reader's clock
    shows (ISO 8601), `locale` the reader's language and place, `height` the screen's in pixels."""

    path: str
    width: int = WIDTHS[0]
    name: str = "page"
    choices: Mapping[str, str] = field(default_factory=dict)
    script: str | None = None
    scheme: str = "light"
    media: str | None = None
    check: bool = False
    fresh: bool = False
    now: str | None = None
    locale: str = "en-GB"
    height: int | None = None


def find_chromium() -> str | None:
    """The system's Chromium, or None where none is installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def open_pages(
    base: str, visits: Sequence[Visit], *, screenshots: Path | None = None, timezone: str = "UTC"
) -> list[dict[str, Any]]:
    """Open every page and return its title, heading, text, figures, tables, links, errors, requests and bytes.

    `base` is the server's address without the final slash. Raises ReportError when Chromium or its driver is missing.
    """
    chromium = find_chromium()
    if chromium is None:
        raise ReportError("There is no Chromium on this machine to open the report with.")
    if not (REPORTS_FOLDER / "node_modules" / "playwright-core").is_dir():
        raise ReportError("The report's npm packages are not installed; run python -m reports.shell first.")
    node = find_node()
    order = {
        "base": base,
        "chromium": chromium,
        "timezone": timezone,
        "screenshots": str(screenshots) if screenshots else None,
        "visits": [{**vars(visit), "choices": dict(visit.choices)} for visit in visits],
    }
    process = subprocess.run(
        [node.node, REPORTS_FOLDER / "browser.mjs"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=120 + 60 * len(visits),
        check=False,
        env=node.environment({}),
    )
    if process.returncode != 0:
        raise ReportError(f"The browser ended with status {process.returncode}: {process.stderr.strip()[-500:]}")
    met: list[dict[str, Any]] = json.loads(process.stdout)
    return met
