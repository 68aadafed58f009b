from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from quality.drift.baselines import Baseline
from quality.expectations.data_docs import INDEX, self_contained, write_docs
from quality.expectations.suites import Plant
from quality.expectations.suites.event_mix import event_mix_suite
from quality.expectations.suites.model_days import model_days_suite
from quality.expectations.validate import validate
from reports.site import place_pages

PLANT = Plant({"north": Baseline()})
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def results(mean: float) -> dict[str, object]:
    days = pd.DataFrame([
        {"site_id": EVIL, "event_date": "2026-01-05", "event_count": 900, "mean_confidence": mean, "age_days": 0}
    ])  # fmt: skip
    types = ["working"] * 700 + ["idle"] * 200 + ["absent"] * 50 + ["product_count"] * 50
    mix = pd.DataFrame({"site_id": "north", "event_type": types, "events": 1.0, "total_events": 1000})
    kept: dict[str, object] = {}
    validate("model_days", model_days_suite(PLANT), days, lambda result: kept.update(model_days=result))
    validate("model_days", event_mix_suite(PLANT), mix, lambda result: kept.update(event_mix=result))
    return kept


@pytest.fixture(scope="module")
def passed() -> dict[str, object]:
    return results(0.9)


def test_the_pages_say_what_was_checked_and_load_nothing(tmp_path: Path, passed: dict[str, object]) -> None:
    assert write_docs(tmp_path, passed) == 2
    assert {page.name for page in tmp_path.iterdir()} == {"model_days.html", "event_mix.html", INDEX}
    text = (tmp_path / "model_days.html").read_text()
    assert "A mean confidence lies between 0 and 1." in text
    for page in tmp_path.iterdir():
        text = page.read_text()
        assert not re.search(r"<(?:script|link|img|iframe)|\bsrc=|url\(", text)
        assert all(re.fullmatch(r"\w+\.html", link) for link in re.findall(r"href=\"([^\"]*)", text))


def test_a_page_is_rewritten_only_when_its_result_has_changed(tmp_path: Path, passed: dict[str, object]) -> None:
    write_docs(tmp_path, passed)
    before = (tmp_path / "model_days.html").stat().st_mtime_ns
    assert write_docs(tmp_path, results(0.9)) == 0
    assert (tmp_path / "model_days.html").stat().st_mtime_ns == before
    assert write_docs(tmp_path, results(1.2)) == 1


def test_what_an_event_says_stays_text() -> None:
    kept = self_contained(f"<p onclick=x>a &lt;b&gt; {EVIL}</p><a href='http://x'>b</a><form><p>c</p></form>")
    assert kept == "<p>a &lt;b&gt; </p>b"


def test_the_site_shows_the_pages_as_they_are_now(tmp_path: Path) -> None:
    source, target = tmp_path / "docs", tmp_path / "site/checks"
    source.mkdir()
    (source / "a.html").write_text("1")
    assert place_pages(source, target) == 1
    assert place_pages(source, target) == 0
    (source / "a.html").rename(source / "b.html")
    assert place_pages(source, target) == 1
    assert [page.name for page in target.iterdir()] == ["b.html"]
