from pathlib import Path

import pytest

from ingestion.errors import WarehouseError
from orchestration.dbt.project import PROJECT_DIR
from orchestration.publish import publish_build
from publishing import fingerprints, plant_file, versions
from publishing.fingerprints import hash_file
from reports import published_views
from reports.published_views import find_marts, hash_marts
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
    publish_build(published.settings)
    assert not before.exists()


def test_the_same_marts_give_the_same_bytes(published: Plant) -> None:
    def contents() -> dict[str, bytes]:
        # the file of views names its version
        files = published.settings.published_path.iterdir()
        return {path.name: path.read_bytes() for path in files if path.name != plant_file.NAME}

    before = contents()
    publish_build(published.settings)
    assert contents() == before


def test_a_file_is_hashed_when_it_is_written_and_never_again(published: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def note(file: Path) -> str:
        hashed.append(file.parent.name if file.parent.suffix == ".parquet" else file.name)
        return hash_file(file)

    monkeypatch.setattr(fingerprints, "hash_file", note)
    monkeypatch.setattr(published_views, "hash_file", note)
    first = hash_marts(find_marts(published.settings.published_path))
    published.drop("events/b.jsonl", EVENT % 2)
    published.batch()
    of_events = {"worker_shifts.parquet", "state_intervals.parquet", "landed_objects.parquet"}
    assert of_events <= set(hashed)
    assert "rejected_records.parquet" not in hashed

    hashed.clear()
    found = find_marts(published.settings.published_path)
    told = hash_marts(found)
    assert hashed == []
    assert told["worker_shifts"] != first["worker_shifts"]
    assert told["rejected_records"] == first["rejected_records"]
    (published.settings.published_path / fingerprints.NAME).unlink()
    assert hash_marts(found) == told  # hashed from the files if no hashes are stored
    assert len(hashed) == len(found)


def test_a_full_disk_is_one_sentence_and_leaves_the_published_version(
    published: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = published.settings.published_path.resolve()
    monkeypatch.setattr(versions, "sync", no_space)
    with pytest.raises(WarehouseError, match=r"cannot be published to .*: \[Errno 28\] No space left on device"):
        publish_build(published.settings)
    assert published.settings.published_path.resolve() == before
    assert [path.name for path in before.parent.iterdir()] == [before.name]
