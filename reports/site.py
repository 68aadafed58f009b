"""The served site: places the page shell and its data so that an open page never breaks.

Reads published marts and writes below `<data dir>/site`. `tables/` defines the data, and shell.py builds the shell.
"""

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.durable import put_in_place, write_whole
from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.assembly import STAMP_NAME
from reports.data import publish_data, remove_previous, shown_plant, shown_version
from reports.metrics_api import publish_metrics
from reports.shell import shell_for

NOTHING_STOPPED = "{}"
_NOT_SHOWN = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Checks</title>
<p>Nothing is published about small groups of people, and the checks' own pages show figures of such groups.</p></html>
"""


@dataclass(frozen=True)
class SiteReport:
    """The result of one publish: bytes and files written, wall-clock seconds, and whether the shell changed."""

    bytes_written: int
    files: int
    seconds: float
    shell_changed: bool


def publish_site(settings: Settings, shell: Path | None = None) -> SiteReport:
    """Bring `<data dir>/site` up to date with the published marts and the built shell.

    The metrics API is written first, then the data, whose manifest names the version shown, then the shell with
    index.html last. After a kill at any moment the site works, and the next call completes it. Raises ReportError if
    the shell is not built or a published mart cannot be read.
    """
    started = time.monotonic()
    shell = shell or shell_for(own_folder(settings))[0]
    if not (shell / STAMP_NAME).is_file():
        raise ReportError("The report's page shell is not built yet; build it first with python -m reports.shell.")
    is_about_persons = settings.worker_identity != "aggregate"
    metrics = publish_metrics(settings.published_path, settings.site_path, is_about_persons)
    data = publish_data(
        settings.published_path, settings.site_path / "data", settings.worker_identity, settings.plant_name
    )
    placed = place_shell(shell, settings.site_path)
    # The checks' own pages show figures of single cells, however few people made them.
    place_pages(settings.quality_path / "docs" if is_about_persons else None, settings.site_path / "checks")
    status = settings.site_path / "status.json"
    is_first = not status.exists()
    if is_first:
        write_whole(status, NOTHING_STOPPED)  # pages request it even if no batch has ever stopped
    return SiteReport(
        bytes_written=data.bytes_written
        + metrics.bytes_written
        + sum((shell / name).stat().st_size for name in placed)
        + len(NOTHING_STOPPED) * is_first,
        files=data.files + metrics.files + len(placed) + is_first,
        seconds=time.monotonic() - started,
        shell_changed=bool(placed),
    )


def own_folder(settings: Settings) -> Path:
    """Where a plant keeps its own pages."""
    return settings.data_dir / "pages"


def remove_previous_data(settings: Settings) -> None:
    """Remove the previous data that is kept for readers, because it may contain deleted data."""
    remove_previous(settings.site_path / "data")


def remove_data(settings: Settings) -> None:
    """Remove all data of the site if it cannot be updated; the next publish writes it again."""
    for name in ("data", "api"):
        shutil.rmtree(settings.site_path / name, ignore_errors=True)


def is_site_current(settings: Settings) -> bool:
    """Whether the site shows the published version with the current pages, under the plant's current name."""
    shown = shown_version(settings.site_path / "data"), shown_plant(settings.site_path / "data")
    is_data_current = shown == (settings.published_path.resolve().name, settings.plant_name)
    return is_data_current and _read_stamp(settings.site_path).get("hash") == shell_for(own_folder(settings))[1]


def place_shell(shell: Path, site: Path) -> list[str]:
    """Copy the built shell into the site if it differs from the one there; return the names of the copied files.

    Files of the previous shell stay for one round, because an open page still loads its parts by their old names.
    """
    site.mkdir(parents=True, exist_ok=True)
    wanted, present = _read_stamp(shell), _read_stamp(site)
    if wanted.get("hash") == present.get("hash"):
        return []
    names = list(wanted["files"])
    for name in names:
        target = site / name
        target.parent.mkdir(parents=True, exist_ok=True)
        arriving = target.with_name(f".{target.name}.new")
        shutil.copyfile(shell / name, arriving)
        put_in_place(arriving, target)
    _remove_files(site, set(present.get("previous", [])) - set(present.get("files", [])) - set(names))
    stamp = {**wanted, "previous": present.get("files", [])}
    write_whole(site / STAMP_NAME, json.dumps(stamp))
    return names


def place_pages(source: Path | None, target: Path) -> int:
    """Copy the checks' own pages from `source` into the site, each by one rename; return how many changed.

    Without a `source` they are not published, and one page says so.
    """
    changed = 0
    target.mkdir(parents=True, exist_ok=True)
    pages = (
        {"index.html": _NOT_SHOWN} if source is None else {one.name: one.read_bytes() for one in source.glob("*.html")}
    )
    names = set(pages)
    for name in sorted(names):
        content, page = pages[name], target / name
        if not page.is_file() or page.read_bytes() != content:
            write_whole(page, content)
            changed += 1
    _remove_files(target, {page.name for page in target.glob("*.html")} - names)
    return changed


def _remove_files(site: Path, names: Iterable[str]) -> None:
    for name in names:
        (site / name).unlink(missing_ok=True)


def _read_stamp(folder: Path) -> dict[str, Any]:
    """A shell's stamp: `hash`, `files` and, in a site, `previous` (the previous files); {} if there is none."""
    try:
        stamp: dict[str, Any] = json.loads((folder / STAMP_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return stamp
