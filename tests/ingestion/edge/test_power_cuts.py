"""A power cut after every call to the disk, with three kinds of remnants.

Unlike a kill, it also loses the page cache.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.ingestion.edge.power import REMNANTS, Disk, PowerWatch, watched
from tests.ingestion.edge.test_kills import LATER, assert_nothing_is_lost_or_doubled
from tests.ingestion.edge.work import PREPARED, WORK, at_a_gateway, prepare

Cut = tuple[Disk, dict[str, bytes], list[int]]  # disk after the reboot, remote target's objects, acknowledged events


@pytest.mark.parametrize("remnant", REMNANTS)
@pytest.mark.parametrize("work", WORK)
def test_a_power_cut_at_any_point_loses_and_doubles_nothing(
    work: str, remnant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway_folder = tmp_path / "gateway"
    prepare(gateway_folder)
    acknowledged = list(PREPARED)
    cuts: list[Cut] = []

    def cut(watch: PowerWatch) -> None:
        landed = {path: content for path, content in watch.now().files.items() if path.startswith("landing/")}
        objects = {path: content for path, content in landed.items() if content is not None and "/." not in path}
        found = (watch.remnant(remnant), objects, list(acknowledged))
        if not cuts or cuts[-1] != found:
            cuts.append(found)

    with watched(PowerWatch(gateway_folder, cut)):
        WORK[work](gateway_folder, acknowledged.append)
    assert len(cuts) > 10

    monkeypatch.setattr(os, "fsync", lambda _: None)  # no further power cut
    for at, (disk, remote, promised) in enumerate(cuts):
        for is_remote in (False, True):
            folder = tmp_path / f"{at}-{is_remote}"
            folder.mkdir()
            disk.build(folder)
            if is_remote:  # the target is another machine, whose power was not cut
                shutil.rmtree(folder / "landing", ignore_errors=True)
                Disk({**{_parent(path): None for path in remote}, **remote}).build(folder)
            rebooted = at_a_gateway(folder)
            before = rebooted.objects() if is_remote else {}
            for camera in ("C1", "C2"):
                rebooted.spool.append({"n": LATER}, camera_id=camera)
            assert rebooted.upload(), (at, is_remote)
            assert_nothing_is_lost_or_doubled(rebooted, [*promised, LATER], before)
            shutil.rmtree(folder)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def test_the_watch_finds_an_append_without_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows that the test above can fail: without the fsync of the append, the acknowledged event is lost."""
    from ingestion.edge import camera

    class WithoutFileSync:
        def __getattr__(self, name: str) -> object:
            return (lambda _: None) if name == "fsync" else getattr(os, name)

    monkeypatch.setattr(camera, "os", WithoutFileSync())
    watch = PowerWatch(tmp_path / "gateway", lambda _: None)
    prepare(watch.root)
    with watched(watch):
        at_a_gateway(watch.root).spool.append({"n": 1})
        for remnant in REMNANTS:
            files = watch.remnant(remnant).files
            assert not any(content and b'{"n":1}\n' in content for content in files.values())
