"""A landing bucket that is a folder. Plain file calls: for many small files they cost a tenth of what a client does.

Archiving moves a file by two renames. Between them it lies below `archive/_moving/`, where it can be looked at without
a race: a file that replaced the one that was read is put back under its name, at once or, after a kill, by `put_back`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ingestion.bucket.objects import (
    ARCHIVE_PREFIX,
    HIDDEN,
    FetchedObject,
    ObjectInfo,
    ObjectReplaced,
    archive_key,
    is_ignored,
)
from ingestion.bucket.retrying import retrying
from ingestion.durable import sync
from ingestion.errors import BucketError

MOVING = f"{ARCHIVE_PREFIX}_moving"
# A file changed so shortly before it was read may change again without a trace in its times, the coarsest of which
# count in steps of 2 s. Its version is not relied on.
SETTLED_SECONDS = 2.0
PIECE_BYTES = 4 * 1024 * 1024  # of a file that is not held whole
READ_TRIES = 3  # of a file that changes while it is read

# What a share that is away for a moment answers.
_PASSING = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.EHOSTDOWN, errno.ENETUNREACH)


class LocalBucket:
    """The bucket of a folder."""

    concurrency = 1

    def __init__(self, root: Path, create: bool = False) -> None:
        self.root = root
        self._root = os.fspath(root)
        self._aside = f"{self._root}/{MOVING}/{secrets.token_hex(8)}"  # ours alone, so that it overwrites nothing
        self.unreadable: list[str] = []
        self._archive_folders: set[str] = set()
        self._durable_folders: set[Path] = set()
        try:
            for prefix in ("events", "labels", "registry") if create else ():
                (root / prefix).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BucketError(f"The landing folder {root} cannot be used: {error.strerror}.") from error

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every file below a prefix; a folder that cannot be read is an error, never "nothing there"."""
        folder = prefix.rstrip("/")
        try:
            self._require_bucket()
            if (self.root / folder).exists():
                yield from self._walk(folder)
        except OSError as error:
            raise BucketError(
                f"The landing folder {self.root / prefix} cannot be listed: {error.strerror or error}."
            ) from error

    def _require_bucket(self) -> None:
        if not (self.root / "events").is_dir():
            raise BucketError(
                f"The landing folder {self.root} has no folder events; is it mounted? For a new one, make that folder."
            )

    def _walk(self, folder: str) -> Iterator[ObjectInfo]:
        with os.scandir(f"{self._root}/{folder}") as entries:
            for entry in entries:
                key = f"{folder}/{entry.name}"
                if entry.is_dir():
                    if not entry.name.startswith(HIDDEN):
                        yield from self._walk(key)
                elif entry.is_file() and not is_ignored(entry.name):
                    try:
                        stat = entry.stat()
                    except FileNotFoundError:  # taken away since the folder was read
                        continue
                    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                    yield ObjectInfo(key, stat.st_size, modified, _version(stat))

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The files' contents; one that is gone by now, or changes while it is read, is left out: it is not whole.

        One that may not be read is left out too, and named in `unreadable`: the others need not wait for its right.
        """
        for key in keys:
            try:
                fetched = self._read(key, max_bytes)
            except PermissionError:
                self.unreadable.append(key)
                continue
            except OSError as error:
                if not _is_passing(error):
                    raise self._unreadable(key, error) from error
                try:
                    fetched = retrying(lambda key=key: self._read(key, max_bytes), _is_passing)  # type: ignore[misc]
                except OSError as last:
                    raise self._unreadable(key, last) from last
            if fetched is not None:
                yield fetched

    def _unreadable(self, key: str, error: OSError) -> BucketError:
        return BucketError(f"{self.root / key} cannot be read: {error.strerror}.")

    def _read(self, key: str, max_bytes: int | None) -> FetchedObject | None:
        for _ in range(READ_TRIES):
            try:
                file = os.open(f"{self._root}/{key}", os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            try:
                before = os.fstat(file)
                content = None
                if max_bytes is None or before.st_size <= max_bytes:
                    content = _content(file, before.st_size)
                    etag, size = _etag(content), len(content)
                else:
                    etag, size = _etag_of_file(file), before.st_size
                after = os.fstat(file)
            finally:
                os.close(file)
            if _identity(before) == _identity(after) and size == after.st_size:
                settled = time.time() - max(after.st_mtime, after.st_ctime) >= SETTLED_SECONDS
                return FetchedObject(key, content, size, etag, _version(after) if settled else "", _identity(after))
        return None

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The file's content, hashed once more on the way: what was given is what the etag says, or it is refused."""
        digest = hashlib.blake2b(digest_size=16)
        try:
            with open(f"{self._root}/{fetched.key}", "rb", buffering=0) as file:
                while piece := retrying(lambda: file.read(PIECE_BYTES), _is_passing):
                    digest.update(piece)
                    yield piece
        except (FileNotFoundError, PermissionError) as error:
            raise ObjectReplaced(fetched.key) from error
        except OSError as error:
            raise self._unreadable(fetched.key, error) from error
        if digest.hexdigest() != fetched.etag:
            raise ObjectReplaced(fetched.key)

    def recognise(self, info: ObjectInfo) -> FetchedObject | None:  # noqa: ARG002  # a server could
        """A folder's listing says no etag."""
        return None

    def archive(self, fetched: FetchedObject) -> bool:
        """Rename the file into the archive, and back if another one had taken its name since it was read."""
        key = fetched.key
        source, aside = f"{self._root}/{key}", f"{self._aside}/{key}"
        target = f"{self._root}/{archive_key(key, fetched.etag)}"
        try:
            # The name under `_moving` is occupied when a newer object kept an earlier one from being put back.
            if _identity(os.stat(source)) != fetched.identity or os.path.lexists(aside):
                return False
            for path in (aside, target):
                self._make_archive_folder(os.path.dirname(path))
            os.rename(source, aside)
            if _identity(os.stat(aside)) == fetched.identity:
                if _holds_another(target, fetched.etag):
                    os.unlink(aside)
                else:
                    os.rename(aside, target)
                return True
            _name_again(aside, source)
        except FileNotFoundError:
            self._archive_folders.clear()
            return False
        except OSError as error:
            raise BucketError(f"{source} cannot be moved to {target}: {error.strerror}.") from error
        return False

    def put_back(self) -> int:
        """Give files that a killed batch left between two names their old one, unless a newer content has it.

        Called while no other batch archives. What cannot have its name yet gets it by a later call.
        """
        count = 0
        moving = f"{self._root}/{MOVING}"
        try:
            for folder, _, names in os.walk(moving, topdown=False):
                for name in names:
                    aside = f"{folder}/{name}"
                    source = f"{self._root}/{os.path.relpath(aside, moving).split('/', 1)[1]}"
                    os.makedirs(os.path.dirname(source), exist_ok=True)
                    count += _name_again(aside, source)
                with contextlib.suppress(OSError):  # not empty
                    os.rmdir(folder)
        except OSError as error:
            raise BucketError(f"What lies in {moving} cannot be put back: {error.strerror}.") from error
        self._archive_folders.clear()
        return count

    def _make_archive_folder(self, folder: str) -> None:
        if folder not in self._archive_folders:
            os.makedirs(folder, exist_ok=True)
            self._archive_folders.add(folder)

    def put(self, key: str, content: bytes) -> None:
        """Write under a name that is ignored, then rename; file and name are on the disk when this returns.

        Below the mount point of a share that is away nothing is written: nobody would find it there.
        """
        target = self.root / key
        aside = target.with_name(f"_{target.name}.{os.getpid()}.part")
        try:
            self._make_folder(target.parent)
            with open(aside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(target)
            sync(target.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise BucketError(f"{target} cannot be written: {error.strerror or error}.") from error

    def _make_folder(self, folder: Path) -> None:
        """Make a folder that outlives a power loss: its name and its parents' are on the disk, whoever made them."""
        if folder in self._durable_folders and folder.is_dir():
            return
        self._require_bucket()
        folder.mkdir(parents=True, exist_ok=True)
        for parent in folder.relative_to(self.root).parents:
            sync(self.root / parent)
        sync(self.root.parent)
        self._durable_folders.add(folder)


def _holds_another(target: str, etag: str) -> bool:
    """Whether the archive's copy of a content was rewritten since, because a person was erased from it: it stays."""
    try:
        with open(target, "rb", buffering=0) as file:
            return _etag_of_file(file.fileno()) != etag
    except FileNotFoundError:
        return False


def _name_again(aside: str, source: str) -> bool:
    """Give a file its name again; False where another content has that by now, and the file stays aside."""
    try:
        os.link(aside, source)  # never replaces anything
    except FileExistsError:
        return False
    except PermissionError:  # a file system without links
        if os.path.lexists(source):
            return False
        os.rename(aside, source)
        return True
    os.unlink(aside)
    return True


def _content(descriptor: int, size: int) -> bytes:
    """All of a file from where it is read, most often by one call; `size` is what it is expected to have."""
    content = os.read(descriptor, size + 1)
    while len(content) != size and (more := os.read(descriptor, PIECE_BYTES)):
        content += more
    return content


def _etag(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _etag_of_file(descriptor: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    while piece := os.read(descriptor, 1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def _identity(stat: os.stat_result) -> tuple[int, int, int]:
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _version(stat: os.stat_result) -> str:
    # The time of the last change of any kind is there because a copy may keep size and modification time.
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ctime_ns}"


def _is_passing(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in _PASSING
