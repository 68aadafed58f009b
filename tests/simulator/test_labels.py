"""Labels of a simulated plant are made from the truth, land, and show how often each version was wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.contract.events import EVENT_TYPES
from ingestion.errors import SettingsError
from simulator import Arguments, simulate
from simulator.episodes import VERSIONS
from simulator.labels import ERRS, SECOND_OPINION, answers, main, write_labels
from tests.plant import Plant


def test_a_reviewer_errs_now_and_then_and_some_events_have_several() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    keys = ["000" + hashlib.md5(str(number).encode()).hexdigest()[3:] for number in range(4000)]  # keys of a sample
    said = {key: list(answers(key, "idle", at)) for key in keys}
    assert said == {key: list(answers(key, "idle", at)) for key in keys}
    counts = Counter(len(found) for found in said.values())
    assert counts[2] + counts[3] == pytest.approx(4000 * SECOND_OPINION, rel=0.2)
    every = [answer for found in said.values() for answer in found]
    assert sum(answer.true_event_type != "idle" for answer in every) == pytest.approx(len(every) * ERRS, rel=0.3)
    assert {answer.reviewer for answer in every} == {"reviewer-1", "reviewer-2", "reviewer-3"}
    assert all(len({answer.reviewer for answer in found}) == len(found) for found in said.values())
    assert {answer.true_event_type for answer in every} <= set(EVENT_TYPES)


@pytest.mark.slow
def test_labels_from_the_truth_show_how_often_each_version_is_wrong(tmp_path: Path) -> None:
    plant = Plant(tmp_path, review_fraction=0.1)
    arguments = Arguments(landing=plant.landing, truth=tmp_path / "truth", cameras=6, workers=16, days=6)
    simulate(arguments)
    now = datetime.fromtimestamp(arguments.ends_ms / 1000, UTC) + timedelta(days=3)
    plant.batch(now)
    queue = plant.mart("review_queue")
    paths = (arguments.truth, plant.settings.published_path, plant.landing)
    assert write_labels(*paths) == len(queue)
    assert write_labels(*paths) == 0  # the labels are still there
    plant.batch(now)
    assert write_labels(*paths) == 0  # they have been archived
    assert [one for one in plant.mart("rejected_records") if one["object_key"].startswith("labels/")] == []
    accuracy = plant.mart("label_accuracy")
    for version in VERSIONS:
        rows = [one for one in accuracy if one["model_version"] == version.version]
        labelled, correct = (sum(one[name] for one in rows) for name in ("labelled_events", "correct_events"))
        # the camera's confusions and the reviewers' errors, with room for chance
        assert 1 - correct / labelled == pytest.approx(version.confused + ERRS, abs=0.05)
    bad, good = (
        sum(one["correct_events"] for one in rows) / sum(one["labelled_events"] for one in rows)
        for rows in ([one for one in accuracy if one["model_version"] == name] for name in ("1.5.0", "1.5.1"))
    )
    assert bad < good - 0.02


def test_without_a_truth_there_is_nothing_to_review(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="nothing to review"):
        write_labels(tmp_path, tmp_path, tmp_path)
    assert main([f"--{name}={tmp_path}" for name in ("truth", "published", "landing")]) == 1
    assert "nothing to review" in capsys.readouterr().err
