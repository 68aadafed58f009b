"""A landing bucket in a folder. Uses plain file calls, which for many small files cost a tenth of a client library.

Archiving moves a file by two renames. Between them the file lies below `archive/_moving/`, where it can be checked
without a race. A file that replaced the one that was read gets its name back, at once or, after a kill, by `put_back`.
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

from ingestion.bucket.folders import Folders, NotAFile, open_folder, refusal
from ingestion.bucket.objects import (
    ARCHIVE_PREFIX,
    HIDDEN,
    FetchedObject,
    ObjectInfo,
    ObjectReplaced,
    PassedOver,
    archive_key,
    is_ignored,
)
from ingestion.bucket.retrying import retrying
from ingestion.durable import sync
from ingestion.errors import BucketError

MOVING = f"{ARCHIVE_PREFIX}_moving"
# A file that changed this shortly before it was read may change again without a change of its times, whose coarsest
# resolution is 2 s. Such a file gets no version.
SETTLED_SECONDS = 2.0
PIECE_BYTES = 4 * 1024 * 1024  # bytes of a file that is not held whole
MAX_DEPTH = 100  # folders within folders
READ_TRIES = 3  # of a file that changes while it is read

# Errors of a share that is unavailable for a moment.
_PASSING = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.EHOSTDOWN, errno.ENETUNREACH)


class LocalBucket:
    """The bucket of a folder."""

    concurrency = 1

    def __init__(self, root: Path, create: bool = False) -> None:
        self.root = root
        self._root = os.fspath(root)
        self._folders = Folders(self._root)
        self._aside = f"{MOVING}/{secrets.token_hex(8)}"  # unique to this process, so that it overwrites nothing
        self.passed_over: list[PassedOver] = []
        self._durable_folders: set[Path] = set()
        try:
            for prefix in ("events", "labels", "registry") if create else ():
                (root / prefix).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BucketError(f"The landing folder {root} cannot be used: {error.strerror}.") from error

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every file below a prefix. A folder that cannot be listed is an error, never an empty folder.

        Entries that are not files, such as links, and folders without permission are recorded as skipped.
        """
        folder = prefix.rstrip("/")
        try:
            self._require_bucket()
            yield from self._walk_from(folder)
        except OSError as error:
            raise BucketError(
                f"The landing folder {self.root / prefix} cannot be listed: {error.strerror or error}."
            ) from error

    def _require_bucket(self) -> None:
        if not os.path.lexists(self.root / "events"):
            raise BucketError(
                f"The landing folder {self.root} has no folder events; is it mounted? For a new one, make that folder."
            )

    def _walk_from(self, folder: str) -> Iterator[ObjectInfo]:
        try:
            with self._folders.opened(folder) as descriptor:
                yield from self._walk(folder, descriptor, 0)
        except FileNotFoundError:
            return
        except NotAFile as error:
            self.passed_over.append(PassedOver(folder, error.reason))

    def _walk(self, folder: str, descriptor: int, depth: int) -> Iterator[ObjectInfo]:
        owner = os.fstat(descriptor).st_uid
        with os.scandir(descriptor) as entries:
            for entry in entries:
                key = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(HIDDEN):
                        yield from self._walk_into(key, entry.name, descriptor, depth + 1)
                elif not is_ignored(entry.name):
                    try:
                        stat = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:  # removed since the folder was listed
                        continue
                    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                    reason = refusal(stat, owner)
                    if reason is not None:
                        self.passed_over.append(PassedOver(key, reason, stat.st_size, modified))
                    else:
                        yield ObjectInfo(key, stat.st_size, modified, _version(stat))

    def _walk_into(self, key: str, name: str, parent: int, depth: int) -> Iterator[ObjectInfo]:
        if depth > MAX_DEPTH:
            self.passed_over.append(PassedOver(key, "odd_key"))
            return
        try:
            descriptor = open_folder(name, parent)
        except FileNotFoundError:
            return
        except (PermissionError, NotAFile) as error:
            self.passed_over.append(PassedOver(key, error.reason if isinstance(error, NotAFile) else "no_right"))
            return
        try:
            yield from self._walk(key, descriptor, depth)
        finally:
            os.close(descriptor)

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The files' contents, without files that are gone or that change while they are read.

        A file that may not be read, or has become a link, is left out and recorded as skipped, so that the others can
        land.
        """
        for key in keys:
            try:
                fetched = self._read(key, max_bytes)
            except (PermissionError, NotAFile) as error:
                self.passed_over.append(PassedOver(key, error.reason if isinstance(error, NotAFile) else "no_right"))
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
                file = self._folders.open_file(key)
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
        """The file's content in pieces, hashed again: raises at the end if it does not match the etag."""
        digest = hashlib.blake2b(digest_size=16)
        try:
            with os.fdopen(self._folders.open_file(fetched.key), "rb", buffering=0) as file:
                while piece := retrying(lambda: file.read(PIECE_BYTES), _is_passing):
                    digest.update(piece)
                    yield piece
        except (FileNotFoundError, PermissionError, NotAFile) as error:
            raise ObjectReplaced(fetched.key) from error
        except OSError as error:
            raise self._unreadable(fetched.key, error) from error
        if digest.hexdigest() != fetched.etag:
            raise ObjectReplaced(fetched.key)

    def recognise(self, info: ObjectInfo) -> FetchedObject | None:  # noqa: ARG002  # a server could
        """Return None: a folder's listing has no etags."""
        return None

    def archive(self, fetched: FetchedObject) -> bool:
        """Rename the file into the archive, and back if another file has replaced it since it was read."""
        key, kept = fetched.key, archive_key(fetched.key, fetched.etag)
        aside = f"{self._aside}/{key}"
        try:
            source = self._folders.descriptor(_folder(key), "source")
            waiting = self._folders.descriptor(_folder(aside), "waiting", make=True)
            archived = self._folders.descriptor(_folder(kept), "archived", make=True)
            name, kept_name = _name(key), _name(kept)
            # The usual name below `_moving/` is taken if a second content is still there because a third one took its
            # place.
            if _identity_of(name, source) != fetched.identity or _exists(name, waiting):
                return False
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=waiting)
            if _identity_of(name, waiting) == fetched.identity:
                if self._holds_another(kept, fetched.etag):
                    os.unlink(name, dir_fd=waiting)
                else:
                    os.rename(name, kept_name, src_dir_fd=waiting, dst_dir_fd=archived)
                return True
            _name_again(name, waiting, source)
        except (FileNotFoundError, NotAFile):
            self._folders.forget("source", "waiting", "archived")
            return False
        except OSError as error:
            raise BucketError(
                f"{self.root / key} cannot be moved to {self.root / kept}: {error.strerror or error}."
            ) from error
        return False

    def _holds_another(self, kept: str, etag: str) -> bool:
        """Whether the archive's copy has been rewritten since, by the erasure of a person; then that copy stays."""
        try:
            file = self._folders.open_file(kept)
        except FileNotFoundError:
            return False
        try:
            return _etag_of_file(file) != etag
        finally:
            os.close(file)

    def put_back(self) -> int:
        """Restore the old names of files that a killed batch left between two names, unless a newer content has the
        name.

        Called while no other batch archives. A later call retries what could not be restored.
        """
        try:
            with self._folders.opened(MOVING) as moving, os.scandir(moving) as entries:
                count = sum(self._put_back_from(entry.name, "", moving) for entry in list(entries))
            self._folders.forget("source", "waiting", "archived")
            with contextlib.suppress(OSError), self._folders.opened(_folder(MOVING)) as archive:  # not empty
                os.rmdir(_name(MOVING), dir_fd=archive)
            return count
        except (FileNotFoundError, NotAFile):
            return 0
        except OSError as error:
            raise BucketError(
                f"What lies in {self.root / MOVING} cannot be put back: {error.strerror or error}."
            ) from error

    def _put_back_from(self, name: str, folder: str, parent: int) -> int:
        """Move the content of the folder `name` inside an open folder back to the bucket's `folder`."""
        count = 0
        try:
            descriptor = open_folder(name, parent)
        except NotAFile:  # a file where only folders are expected
            return 0
        try:
            with os.scandir(descriptor) as entries:
                for entry in list(entries):
                    if entry.is_dir(follow_symlinks=False):
                        inner = f"{folder}/{entry.name}" if folder else entry.name
                        count += self._put_back_from(entry.name, inner, descriptor)
                    else:
                        with contextlib.suppress(NotAFile), self._folders.opened(folder, make=True) as source:
                            count += _name_again(entry.name, descriptor, source)
        finally:
            os.close(descriptor)
        with contextlib.suppress(OSError):  # not empty
            os.rmdir(name, dir_fd=parent)
        return count

    def may_have_changed(self, key: str, etag: str, size: int) -> bool:
        """Whether the archive's copy of a content has another size, or was written after its last rename.

        A write sets both times of a file to one instant, a rename only the second of them.
        """
        kept = archive_key(key, etag)
        try:
            stat = os.stat(_name(kept), dir_fd=self._folders.descriptor(_folder(kept)), follow_symlinks=False)
        except OSError:
            return False
        return stat.st_size != size or stat.st_mtime_ns == stat.st_ctime_ns

    def changed_copy(self, key: str, etag: str) -> FetchedObject | None:
        """The archive's copy of a content if it holds another content by now; an empty one waits for its writer.

        It has the copy's key; `pieces` returns its content.
        """
        fetched = next(self.fetch([archive_key(key, etag)], 0), None)
        return fetched if fetched is not None and fetched.size and fetched.etag != etag else None

    def keep_as(self, key: str, etag: str, grown_etag: str) -> None:
        """Rename the archive's copy of a content after the content that its writer gave it since."""
        before, now = archive_key(key, etag), archive_key(key, grown_etag)
        try:
            with self._folders.opened(_folder(now)) as folder:
                os.rename(_name(before), _name(now), src_dir_fd=folder, dst_dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise BucketError(f"{self.root / before} cannot be renamed: {error.strerror or error}.") from error

    def put(self, key: str, content: bytes) -> None:
        """Write under an ignored name, then rename; file and name are durable when this returns.

        Writes nothing below the mount point of an unmounted share, where the file would be hidden later.
        """
        target, name = self.root / key, _name(key)
        aside = f"_{name}.{os.getpid()}.part"
        try:
            self._make_folder(target.parent)
            with self._folders.opened(_folder(key)) as folder:
                try:
                    with contextlib.suppress(FileNotFoundError):  # left by a killed process with this process id
                        os.unlink(aside, dir_fd=folder)
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                    with os.fdopen(os.open(aside, flags, 0o666, dir_fd=folder), "wb") as file:
                        file.write(content)
                        file.flush()
                        os.fsync(file.fileno())
                    os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
                    os.fsync(folder)
                except OSError:
                    with contextlib.suppress(OSError):
                        os.unlink(aside, dir_fd=folder)
                    raise
        except OSError as error:
            raise BucketError(f"{target} cannot be written: {error.strerror or error}.") from error

    def remove(self, key: str) -> None:
        """Delete a file; a missing file is no error."""
        try:
            with self._folders.opened(_folder(key)) as folder:
                os.unlink(_name(key), dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise BucketError(f"{key} cannot be deleted from the landing folder: {error.strerror or error}.") from error

    def _make_folder(self, folder: Path) -> None:
        """Create a folder durably: its name and its parents' names are on the disk, whoever created them."""
        if folder in self._durable_folders and folder.is_dir():
            return
        self._require_bucket()
        inner = folder.relative_to(self.root)
        with self._folders.opened("" if inner == Path() else inner.as_posix(), make=True):
            pass
        for parent in inner.parents:
            sync(self.root / parent)
        sync(self.root.parent)
        self._durable_folders.add(folder)


def _folder(key: str) -> str:
    return key.rpartition("/")[0]


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _identity_of(name: str, folder: int) -> tuple[int, int, int]:
    return _identity(os.stat(name, dir_fd=folder, follow_symlinks=False))


def _name_again(name: str, aside: int, source: int) -> bool:
    """Give a file its name back; False if another content has that name now, and the file stays aside."""
    try:
        os.link(name, name, src_dir_fd=aside, dst_dir_fd=source, follow_symlinks=False)  # never replaces anything
    except FileExistsError:
        return False
    except PermissionError:  # a file system without links
        if _exists(name, source):
            return False
        os.rename(name, name, src_dir_fd=aside, dst_dir_fd=source)
        return True
    os.unlink(name, dir_fd=aside)
    return True


def _content(descriptor: int, size: int) -> bytes:
    """The rest of a file, usually read by one call; `size` is the expected size."""
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
    # Includes the inode's change time, because a copy may keep size and modification time.
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ctime_ns}"


def _is_passing(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in _PASSING
