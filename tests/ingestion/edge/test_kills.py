"""SIGKILL at every call to the disk: no acknowledged event is lost or duplicated, and no key changes its content."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ingestion.edge.gateway import Gateway
from tests.ingestion.edge.work import PREPARED, WORK, at_a_gateway

LATER, WHOLE = 999, 200  # an event after the fault; the event of the file that `take` leaves in the inbox
ROOT = Path(__file__).parents[3]
# The least number of calls of each piece of work, and the intermediate states in which its kills must occur.
POINTS = {"append": 100, "upload": 100, "repair": 150, "killed_writer": 100, "take": 100}
STATES = {
    "append": {"torn"},
    "upload": {"half uploaded"},
    "repair": {"torn", "half uploaded"},
    "killed_writer": {"half uploaded"},
    "take": {"half uploaded"},
}


def assert_nothing_is_lost_or_doubled(gateway: Gateway, acknowledged: list[int], before: dict[str, bytes]) -> None:
    """`acknowledged` arrived, each once and in order. The target's objects at the crash (`before`) are unchanged."""
    arrived = gateway.objects()
    assert {key: arrived.get(key) for key in before} == before
    for camera in ("C1", "C2"):
        events = gateway.events(camera)
        assert len(events) == len(set(events))
        in_order = [n for n in events if n != LATER]
        assert in_order == sorted(in_order)
        assert not {n for n in acknowledged if (n >= 100) == (camera == "C2") and n != WHOLE} - set(events)
    # After a power cut, a file that its camera did not make durable may have any content, until it is acknowledged.
    assert WHOLE not in acknowledged or gateway.events("C3") == [WHOLE]


@pytest.mark.parametrize("work", WORK)
def test_a_kill_at_any_point_loses_and_doubles_nothing(work: str, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.ingestion.edge.killer", work, tmp_path], cwd=ROOT, check=True, timeout=120
    )
    folders = sorted(tmp_path.iterdir(), key=lambda folder: int(folder.name))
    assert len(folders) > POINTS[work]
    met: set[str] = set()
    for folder in folders:
        gateway = at_a_gateway(folder)
        before = gateway.objects()
        acknowledged = [int(line) for line in (folder / "acknowledged").read_text().split()]
        for camera in ("C1", "C2"):
            gateway.spool.append({"n": LATER}, camera_id=camera)  # the camera continues
        assert gateway.upload(), folder
        assert_nothing_is_lost_or_doubled(gateway, [*PREPARED, *acknowledged, LATER], before)
        torn = [path.read_bytes() for path in folder.rglob("*.torn")]
        assert all(not end.endswith(b"\n") for end in torn)
        met |= {"torn"} if torn else set()
        met |= {"half uploaded"} if 0 < len(before) < len(gateway.objects()) - 1 else set()
        shutil.rmtree(folder)
    assert met == STATES[work]
