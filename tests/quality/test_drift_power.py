"""A small simulated year: false alarms stay rare, real drifts are found, and other methods alarm far more often."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.drift.__main__ import DOCUMENT, RESULTS, Found, measure, quote
from benchmarks.drift.simulate import DRIFTS

SITES = 4
OURS, EVIDENTLY, PLAIN = "Floorhouse", "Evidently's defaults, daily", "plain daily threshold"


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured() -> tuple[dict[str, float], dict[str, dict[str, Found]]]:
    return measure(seed=11, sites=SITES, cameras=12, drifts=[DRIFTS[0], DRIFTS[3], DRIFTS[5]])


def test_false_alarms_are_rare(measured: tuple[dict[str, float], dict[str, dict[str, Found]]]) -> None:
    nothing, _ = measured
    assert nothing[OURS] <= 2.0  # the aim is 1; for four site-years, 2 is within chance
    assert min(nothing[EVIDENTLY], nothing[PLAIN]) > 50


def test_real_drifts_are_found_soon(measured: tuple[dict[str, float], dict[str, dict[str, Found]]]) -> None:
    _, something = measured
    confidence, idle, roll_out = (results[OURS] for results in something.values())
    assert confidence.power == 1.0
    assert (confidence.delay or 0) <= 10
    assert idle.power >= 0.5
    assert roll_out.power == 1.0
    assert (roll_out.delay or 0) <= 5


def test_the_document_quotes_the_last_measurement_word_for_word() -> None:
    document, results = (Path(path).read_text(encoding="utf-8") for path in (DOCUMENT, RESULTS))
    assert quote(document, results) == document
