import errno
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.edge import SpoolError, SpoolFullError
from tests.ingestion.edge.gateway import Gateway, fill

DISK_BYTES = 512 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root, where mounting is allowed, can make a disk that really becomes full")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_refuses_keeps_what_was_acknowledged_and_recovers(
    small_disk: Path, tmp_path: Path
) -> None:
    gateway = Gateway(tmp_path, spool_dir=small_disk / "spool", object_max_bytes=16_384)
    (small_disk / "someone-elses").write_bytes(b"x" * 300_000)
    taken = fill(gateway)
    assert taken > 1000
    with pytest.raises(SpoolFullError, match=r"The disk of the spool .* is full"):
        gateway.spool.append({"n": taken})
    assert gateway.upload()  # needs no room itself
    assert gateway.events() == [*range(taken)]
    gateway.spool.append({"n": taken})
    assert gateway.upload()
    assert gateway.events() == [*range(taken + 1)]


def test_a_full_disk_with_an_inbox_leaves_each_file_in_one_place(small_disk: Path, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, spool_dir=small_disk / "spool")
    uploader = gateway.uploader()
    for n in range(3):
        (gateway.settings.inbox_dir / f"{n}.jsonl").write_bytes(b'{"n":%d}\n' % n)
    with (small_disk / "someone-elses").open("wb", buffering=0) as file:
        with pytest.raises(OSError, match="No space left"):
            file.writelines(itertools.repeat(b"x" * 4096))
        uploader.step()
        assert "is full" in str(uploader.ledger.last_error)
        assert gateway.objects() == {}
        file.truncate(0)
    uploader.step()
    assert gateway.events() == [0, 1, 2]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("nth", range(1, 8))
def test_an_append_that_fails_leaves_nothing_of_its_records_and_harms_no_earlier_ones(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, call: str, number: int, nth: int
) -> None:
    gateway.spool.append({"n": 0})
    gateway.upload()
    gateway.spool.append({"n": 1}, camera_id="C2")
    real, count = getattr(os, call), 0

    def fails(*arguments: object) -> object:
        nonlocal count
        count += 1
        if count < nth:
            return real(*arguments)
        if call == "write" and count == nth:
            return real(arguments[0], bytes(arguments[1])[:5])  # type: ignore[call-overload]  # half of it fits
        raise OSError(number, os.strerror(number))

    acknowledged, errors = [1], list[SpoolError]()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        for n in (2, 3, 4):
            try:
                gateway.spool.append({"n": n}, camera_id="C2")
                acknowledged.append(n)
            except SpoolError as error:
                errors.append(error)
    assert {type(error) for error in errors} <= {SpoolFullError if number == errno.ENOSPC else SpoolError}
    assert len(acknowledged) + len(errors) == 4
    gateway.spool.append({"n": 5}, camera_id="C2")
    gateway.upload()
    assert gateway.events("C2") == [*acknowledged, 5]
    assert gateway.events("C1") == [0]
