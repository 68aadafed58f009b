import os
import signal
import subprocess
import sys

import pytest

from ingestion.errors import WarehouseError
from orchestration import publish
from orchestration.manifest import PROJECT_DIR
from orchestration.publish import publish_marts
from tests.plant import Plant

EVENT = (
    '{"timestamp":"2026-01-15T10:15:00Z","worker_id":"W%d","workstation_id":"S3","event_type":"working",'
    '"confidence":0.9}\n'
)


@pytest.fixture
def published(plant: Plant) -> Plant:
    plant.drop("events/a.jsonl", EVENT % 1)
    plant.batch()
    return plant


def test_every_mart_of_the_contract_is_published(published: Plant) -> None:
    marts = {path.stem for path in (PROJECT_DIR / "models/marts").glob("*.sql")}
    assert {path.stem for path in published.settings.published_path.iterdir()} >= marts > {"worker_shifts"}


def test_a_reader_that_holds_the_version_before_can_still_read_it(published: Plant) -> None:
    before = published.settings.published_path.resolve()
    published.drop("events/b.jsonl", EVENT % 2)
    published.batch()
    assert len(published.mart("worker_shifts")) == 2
    assert len(published.query(f"from '{before}/worker_shifts.parquet'")) == 1
    publish_marts(published.settings)
    assert not before.exists()


def test_the_same_marts_give_the_same_bytes(published: Plant) -> None:
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in published.settings.published_path.iterdir()}

    before = contents()
    publish_marts(published.settings)
    assert contents() == before


def test_a_full_disk_is_one_sentence_and_leaves_the_published_version(
    published: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = published.settings.published_path.resolve()
    monkeypatch.setattr(publish, "_flush", no_space)
    with pytest.raises(WarehouseError, match=r"cannot be published to .*: \[Errno 28\] No space left on device"):
        publish_marts(published.settings)
    assert published.settings.published_path.resolve() == before
    assert [path.name for path in before.parent.iterdir()] == [before.name]


_KILLED = """
import os, signal, sys
from pathlib import Path
from orchestration import publish
from orchestration.manifest import PROJECT_DIR
from tests.plant import Plant

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(publish, sys.argv[2], die)
publish.publish_marts(Plant(Path(sys.argv[1])).settings)
"""


@pytest.mark.parametrize("step", ["_flush", "_point_to", "_remove_old"])
def test_publishing_killed_at_any_step_shows_one_whole_version_and_leaves_no_rubbish(
    published: Plant, step: str
) -> None:
    data_dir = published.settings.data_dir
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(data_dir), step], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(published.mart("worker_shifts")) == 1
    publish_marts(published.settings)
    publish_marts(published.settings)
    assert len(os.listdir(data_dir / "published-versions")) == publish.KEPT_VERSIONS
