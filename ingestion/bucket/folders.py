"""Opens files below a folder by descriptors, one path segment after the other, and never through a link.

Anyone who may write below the landing folder may put a link there at any moment. A path that was checked may lead
elsewhere by the time it is opened; a descriptor cannot. Knows nothing about the files' content.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator

# The errors for opening a link without following it: as a file, as a folder.
_IS_LINK = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a named pipe without a writer would otherwise block.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NotAFile(OSError):
    """The entry of this name must not be read; `reason` is one of those of `PassedOver`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refusal(found: os.stat_result, folder_owner: int) -> str | None:
    """Why a file with this status, in a folder of this owner, is not read; None if it is read.

    A hard link may have been made by somebody who has no permission to read the file.
    """
    if stat.S_ISLNK(found.st_mode):
        return "link"
    if not stat.S_ISREG(found.st_mode):
        return "no_file"
    if found.st_nlink > 1 and (found.st_uid != folder_owner or found.st_uid != os.geteuid()):
        return "other_owner"
    return None


class _Opened:
    """A descriptor that closes with the last reference to it."""

    def __init__(self, folder: str, descriptor: int) -> None:
        self.folder = folder
        self.descriptor = descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


class Folders:
    """The folders below `root`, which may itself be a link. Each thread keeps the last folder of each use open."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._last = threading.local()

    def descriptor(self, folder: str, use: str = "read", make: bool = False) -> int:
        """The descriptor of a folder relative to the root, valid in this thread until the next call for the same use.

        Raises:
            NotAFile: a link stands in the way.
            OSError: the folder does not exist (and is not created), or cannot be opened.
        """
        last: _Opened | None = getattr(self._last, use, None)
        if last is None or last.folder != folder:
            last = _Opened(folder, self._open(folder, make))
            setattr(self._last, use, last)
        return last.descriptor

    def forget(self, *uses: str) -> None:
        """Close the folders that this thread keeps open for these uses, because they may have been replaced."""
        for use in uses:
            self._last.__dict__.pop(use, None)

    def _open(self, folder: str, make: bool) -> int:
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for segment in folder.split("/") if folder else ():
                if segment in ("", ".", ".."):
                    raise NotAFile("odd_key")
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(segment, dir_fd=descriptor)
                inner = open_folder(segment, descriptor)
                os.close(descriptor)
                descriptor = inner
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    @contextlib.contextmanager
    def opened(self, folder: str, make: bool = False) -> Iterator[int]:
        """A separate descriptor for a folder, for callers that need several at once."""
        descriptor = self._open(folder, make)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def open_file(self, key: str) -> int:
        """A file opened for reading.

        Raises:
            NotAFile: it is a link, not a file, or a hard link to a file of another owner; or the path contains a link.
            OSError: the file does not exist, or permission is missing.
        """
        folder, _, name = key.rpartition("/")
        parent = self.descriptor(folder)
        try:
            descriptor = _open_file(name, parent)
        except FileNotFoundError:
            self.forget("read")  # the folder itself may have been replaced
            parent = self.descriptor(folder)
            descriptor = _open_file(name, parent)
        try:
            reason = refusal(os.fstat(descriptor), os.fstat(parent).st_uid)
            if reason is not None:
                raise NotAFile(reason)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def open_folder(name: str, parent: int) -> int:
    """A folder inside an open one. Raises `NotAFile` if it is a link."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except OSError as error:
        raise _as_no_file(error) from error


def _open_file(name: str, parent: int) -> int:
    try:
        return os.open(name, _FILE, dir_fd=parent)
    except OSError as error:
        raise _as_no_file(error) from error


def _as_no_file(error: OSError) -> OSError:
    if isinstance(error, NotAFile):
        return error
    if error.errno in _IS_LINK:
        return NotAFile("link")
    if error.errno in (errno.ENXIO, errno.ENODEV):  # a socket, a device without a driver
        return NotAFile("no_file")
    return error
