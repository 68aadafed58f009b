"""A batch ends after landing if nothing has changed, and only then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from orchestration.dbt.build_state import is_published
from orchestration.definitions import BATCH, build_definitions
from tests.orchestration.conftest import FinishedBatch, drop_day

NAMES = "site_id,worker_id,name\nnorth,W1,Operator 01\n"


@pytest.fixture
def settings(finished: FinishedBatch, tmp_path: Path) -> Settings:
    """A separate copy of a plant after a batch."""
    shutil.copytree(finished.settings.data_dir, tmp_path / "plant", symlinks=True)
    return Settings(data_dir=tmp_path / "plant")


def materialized(settings: Settings) -> set[str]:
    job = build_definitions(site=False, settings=settings).resolve_job_def(BATCH)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    assert result.success
    return {event.asset_key.path[0] for event in result.get_asset_materialization_events() if event.asset_key}


def test_a_batch_that_finds_nothing_changed_ends_after_landing(settings: Settings) -> None:
    published = settings.published_path.resolve()
    assert materialized(settings) == set()
    assert settings.published_path.resolve() == published


def _new_objects(settings: Settings) -> Settings:
    drop_day(settings.data_dir / "landing")
    for path in (settings.data_dir / "landing/events").rglob("day.jsonl"):
        path.rename(path.with_name("another-name.jsonl"))
    return settings


def _new_names(settings: Settings) -> Settings:
    (settings.data_dir / "landing/registry/workers.csv").write_text(NAMES)
    return settings


def _another_setting(settings: Settings) -> Settings:
    return settings.model_copy(update={"last_event_minutes": 20})


def _lost_publication(settings: Settings) -> Settings:
    settings.published_path.unlink()
    return settings


@pytest.mark.parametrize("change", [_new_objects, _new_names, _another_setting, _lost_publication])
def test_a_batch_after_any_change_publishes_again(settings: Settings, change: Callable[[Settings], Settings]) -> None:
    changed = change(settings)
    assert "published" in materialized(changed)
    assert is_published(changed)


def test_the_report_too_must_be_up_to_date_for_a_batch_to_end_early(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Settings] = []

    def publish_site(of: Settings) -> None:
        shown.append(of)
        raise ReportError("far enough")

    monkeypatch.setattr("reports.shell.build_shell", lambda *_, **__: None)
    monkeypatch.setattr("reports.site.publish_site", publish_site)
    job = build_definitions(site=True, settings=settings).resolve_job_def(BATCH)
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(instance=instance, raise_on_error=False)
    assert shown == [settings]
