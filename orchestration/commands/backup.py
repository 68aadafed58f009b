"""`floorhouse backup` and `floorhouse restore`: write a plant's state to a folder, and restore the plant from it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from backup.restore import restore_backup
from backup.take import take_backup
from ingestion.settings import read_settings


def back_up(target: Path, *, keep: int | None = None, with_keys: bool = False, with_bucket: bool = False) -> int:
    """Take a backup, print what it holds, and return exit status 0.

    Raises:
        FloorhouseError: the backup stopped, and nothing of it is left.
    """
    report = take_backup(
        read_settings(),
        target.expanduser().absolute(),
        datetime.now(UTC),
        lambda line: _say("backup", line),
        keep=keep,
        with_keys=with_keys,
        with_bucket=with_bucket,
    )
    _say("backup", f"{report.folder}: {report.objects:,} objects in the manifest, {report.bytes / 1e6:,.1f} MB")
    if not with_keys:
        _say("backup", "keys are not in it; keep them in another place")
    for name in report.removed:
        _say("backup", f"{name} is removed")
    return 0


def restore_and_run(folder: Path) -> int:
    """Restore a backup, print what was restored, run a batch, and return the batch's exit status.

    Raises:
        FloorhouseError: restoring stopped, and the data folder has no warehouse.
    """
    settings = read_settings()
    report = restore_backup(
        settings, folder.expanduser().absolute(), datetime.now(UTC), lambda line: _say("restore", line)
    )
    _say(
        "restore",
        f"{report.objects:,} objects are back, {report.objects_since:,} that were archived since then are landed "
        f"({report.events_since:,} events)",
    )
    from orchestration.commands.run import run_batch  # imported here: a batch takes seconds to import

    return run_batch(with_site=True)


def _say(verb: str, line: str) -> None:
    print(f"{verb:<9} {line}", flush=True)
