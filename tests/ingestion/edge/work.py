"""The work of a gateway in the fault tests, which kill it or cut its power. Every event has a number of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingestion.edge import Spool
from tests.ingestion.edge.gateway import SMALL_OBJECTS, Gateway

Acknowledge = Callable[[int], None]


def at_a_gateway(folder: Path) -> Gateway:
    return Gateway(folder, **SMALL_OBJECTS)


def prepare(folder: Path) -> None:
    """The state before the work: acknowledged events, sealed and open, and a complete file in the inbox."""
    gateway = at_a_gateway(folder)
    gateway.spool.append_many([{"n": n} for n in range(100, 104)], camera_id="C2")
    inbox = gateway.settings.inbox_dir / "camera_id=C2"
    inbox.mkdir(parents=True)
    (inbox / "whole.jsonl").write_bytes(b'{"n":105}\n{"n":106}\n')


PREPARED = [100, 101, 102, 103, 105, 106]


def append(folder: Path, acknowledge: Acknowledge) -> None:
    """A camera appends events, one at a time and several at once. Objects are begun, filled and sealed."""
    spool = at_a_gateway(folder).spool
    for n in range(4):
        spool.append({"n": n})
        acknowledge(n)
    spool.append_many([{"n": n} for n in range(4, 11)])
    for n in range(4, 11):
        acknowledge(n)


def upload(folder: Path, acknowledge: Acknowledge) -> None:  # noqa: ARG001  # all was acknowledged before
    """An uploader takes the inbox, seals and uploads."""
    at_a_gateway(folder).upload()


def repair(folder: Path, acknowledge: Acknowledge) -> None:
    """After a crash the spool has a torn end. A camera continues, then an uploader runs."""
    spool = at_a_gateway(folder).spool
    spool.append({"n": 0})
    acknowledge(0)
    opened = next(folder.rglob("camera_id=C1/*.open"))
    with opened.open("ab") as file:
        file.write(b'{"n":77777')
    spool = Spool(spool.settings)
    spool.append({"n": 1})
    acknowledge(1)
    upload(folder, acknowledge)


def killed_writer(folder: Path, acknowledge: Acknowledge) -> None:
    """A writer was killed between write and fsync and left a complete, unacknowledged line. Then an uploader runs."""
    opened = next(folder.rglob("camera_id=C2/*.open"))
    with opened.open("ab") as file:
        file.write(b'{"n":104}\n')
    upload(folder, acknowledge)


def take(folder: Path, acknowledge: Acknowledge) -> None:
    """A camera leaves a complete file without an fsync. Once the uploader has taken it, the spool must keep it."""
    gateway = at_a_gateway(folder)
    inbox = gateway.settings.inbox_dir / "camera_id=C3"
    inbox.mkdir(parents=True)
    (inbox / "whole.jsonl").write_bytes(b'{"n":200}\n')
    gateway.uploader()._take_inbox()
    acknowledge(200)
    gateway.upload()


WORK: dict[str, Callable[[Path, Acknowledge], None]] = {
    work.__name__: work for work in (append, upload, repair, killed_writer, take)
}
