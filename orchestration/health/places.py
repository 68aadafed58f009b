"""Checks a plant's places: data folder, keys and bucket. The probe object in the bucket is removed again."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion.access import TAKEN_OFF
from ingestion.bucket import ARCHIVE_PREFIX, Bucket, LocalBucket, ObjectInfo, S3Bucket, open_bucket
from ingestion.bucket.rewriting import remove
from ingestion.settings import Settings
from orchestration.health.finding import Finding
from publishing.version_names import published_at

# Hidden, so that no listing takes it for an archived object.
PROBE_FOLDER = f"{ARCHIVE_PREFIX}.doctor"
PROBE = f"{PROBE_FOLDER}/probe"
CLOCKS_APART = timedelta(minutes=1)


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder can be written and is closed to users whom the settings exclude."""
    folder = settings.data_dir
    if not folder.exists():
        yield Finding("data folder", f"{folder} is not there yet; the first batch makes it.")
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        owner = folder.stat().st_uid
        yield Finding(
            "data folder", f"This user ({os.geteuid()}) may not write {folder}, which belongs to user {owner}.", False
        )
    elif mode & TAKEN_OFF[settings.data_readers]:
        closed = mode & ~TAKEN_OFF[settings.data_readers]
        yield Finding(
            "data folder",
            f"{folder} is open to more users than {settings.data_readers} (mode {mode:04o}); "
            f"the next batch closes it, or chmod {closed:04o}.",
            is_fine=False,
        )
    else:
        yield Finding("data folder", f"{folder} can be written and read by {settings.data_readers} (mode {mode:04o}).")
    foreign = sorted(path.name for path in folder.iterdir() if path.lstat().st_uid != folder.stat().st_uid)
    if foreign:
        yield Finding(
            "data folder",
            f"Not the folder's owner but another user owns {', '.join(foreign[:5])}; give them back with chown -R.",
            is_fine=False,
        )


def keys(files: Iterable[Path]) -> Iterator[Finding]:
    """Whether the files that hold secrets are closed to other users."""
    for path in files:
        try:
            mode = stat.S_IMODE(path.expanduser().stat().st_mode)
        except OSError as error:
            yield Finding("keys", f"{path} cannot be looked at: {error.strerror}.", is_fine=False)
            continue
        if mode & 0o027:
            yield Finding("keys", f"{path} is open to other users (mode {mode:04o}); chmod {mode & 0o750:04o}.", False)
        else:
            yield Finding("keys", f"{path} is closed to other users (mode {mode:04o}).")


def bucket(settings: Settings) -> Iterator[Finding]:
    """Whether the bucket can be listed, written, read and cleared, and whether its clock agrees with this machine's.

    Raises:
        BucketError: one of these failed.
    """
    url = settings.landing_url
    landing = open_bucket(url)
    if isinstance(landing, LocalBucket) and not landing.root.exists() and not settings.warehouse_path.exists():
        yield Finding("bucket", f"{url} is not there yet; the first batch makes it.")
        return
    next(iter(landing.list("registry/")), None)
    content = os.urandom(16)
    before = datetime.now(UTC)
    with _probe(landing, content):
        after = datetime.now(UTC)
        read = next(iter(landing.fetch([PROBE])), None)
        written = [info.modified for info in _listed(landing) if info.key == PROBE]
    if read is None or read.content != content:
        yield Finding("bucket", f"{url} does not give back what was written to it.", is_fine=False)
    else:
        yield Finding("bucket", f"{url} can be listed, written, read and cleared.")
    if written:
        yield _clocks(written[0].astimezone(UTC), before, after)


def _clocks(theirs: datetime, before: datetime, after: datetime) -> Finding:
    apart = max(theirs - after, before - theirs, timedelta(0))
    if apart > CLOCKS_APART:
        direction = "ahead of" if theirs < before else "behind"
        told = f"This machine's clock is {apart.total_seconds():,.0f} s {direction} the bucket server's"
        return Finding("clock", f"{told}; let both follow a time server.", is_fine=False)
    return Finding("clock", "It agrees with the bucket server's.")


def clock(settings: Settings, now: datetime) -> Finding:
    """Whether the clock is later than the published version."""
    published = published_at(settings)
    if published is not None and published - now > CLOCKS_APART:
        told = f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC, but figures were published at"
        return Finding("clock", f"{told} {published:%Y-%m-%d %H:%M} UTC; set the clock.", is_fine=False)
    return Finding("clock", f"It says {now:%Y-%m-%d %H:%M} UTC.")


@contextlib.contextmanager
def _probe(landing: Bucket, content: bytes) -> Iterator[None]:
    """A probe object in the bucket, removed afterwards together with the folders that it needed."""
    made = []
    if isinstance(landing, LocalBucket):
        inner = (ARCHIVE_PREFIX.strip("/"), PROBE_FOLDER)
        made = [landing.root / one for one in inner if not (landing.root / one).exists()]
    try:
        landing.put(PROBE, content)
        yield
    finally:
        remove(landing, PROBE)
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # a batch uses it now
                folder.rmdir()


def _listed(landing: Bucket) -> Iterator[ObjectInfo]:
    """The probe as a server lists it; nothing for a local folder, whose clock is this machine's."""
    if isinstance(landing, S3Bucket):
        yield from landing.list(f"{PROBE_FOLDER}/", ignored=True)
