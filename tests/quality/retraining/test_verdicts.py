from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from quality.retraining.verdicts import CameraDay, Metric, Verdict, compare, sentence

BEGAN = date(2026, 3, 2)


def days(camera_id: str, first_week: int, weekly: Iterable[tuple[float, int]]) -> list[CameraDay]:
    """One day a week, from a week relative to the later version's first: what is right, and of how many."""
    return [
        CameraDay(camera_id, BEGAN + timedelta(weeks=first_week + number), right, total)
        for number, (right, total) in enumerate(weekly)
    ]


def until(whole_weeks: int) -> list[CameraDay]:
    """A camera that goes on, so that a number of weeks is over."""
    return [CameraDay("going on", BEGAN + timedelta(weeks=whole_weeks, days=-1), 0, 0)]


def both_ran(weeks: int) -> tuple[list[CameraDay], list[CameraDay]]:
    return until(0), until(weeks)


def compared(metric: Metric, earlier: list[CameraDay], later: list[CameraDay], weeks: int) -> Verdict:
    before, after = both_ran(weeks)
    return compare(metric, [*earlier, *before], [*later, *after])


def means(camera_id: str, first_week: int, *values: float) -> list[CameraDay]:
    return days(camera_id, first_week, ((value, 1) for value in values))


def test_one_camera_before_and_after_is_welchs_comparison_of_weeks() -> None:
    earlier, later = [0.92, 0.90, 0.93, 0.91, 0.94], [0.86, 0.88, 0.84, 0.87, 0.83, 0.85]
    verdict = compared("confidence", means("c", -5, *earlier), means("c", 0, *later), 6)
    reference = ttest_ind(later, earlier, equal_var=False).confidence_interval(0.996)
    assert verdict.difference == pytest.approx(sum(later) / 6 - sum(earlier) / 5)
    # a variance of weeks has n - 1 below it in both; the residuals here are those of the camera's mean
    assert [verdict.difference_low, verdict.difference_high] == pytest.approx([reference.low, reference.high])
    assert (verdict.answer, verdict.earlier_sample, verdict.later_sample) == ("later_is_lower", 5, 6)


def test_more_confidence_is_never_called_better() -> None:
    verdict = compared("confidence", means("c", -4, 0.8, 0.81, 0.8, 0.81), means("c", 0, 0.9, 0.91, 0.9, 0.91), 4)
    assert verdict.answer == "later_is_higher"
    assert "which does not make it better" in sentence(verdict, "1.0", "1.1")


def test_versions_are_compared_on_the_cameras_that_ran_both() -> None:
    """The later version also runs on a camera that is hard to see with; the earlier one never did."""
    easy = days("easy", -6, [(46, 50), (45, 50), (47, 50), (46, 50), (45, 50), (46, 50)])
    again = days("easy", 0, [(46, 50), (46, 50), (45, 50), (47, 50), (46, 50), (45, 50)])
    hard = days("hard", 0, [(25, 50)] * 6)
    verdict = compared("accuracy", easy, [*again, *hard], 6)
    assert verdict.answer == "not_decided"
    assert verdict.later_value == pytest.approx(275 / 300)
    assert compared("accuracy", easy, hard, 6).answer == "insufficient_data"


def test_a_mix_of_cameras_that_changes_is_no_difference() -> None:
    """Both cameras are as right as before, but the later version has more labels of the bad one."""
    earlier = [*days("a", -5, [(95, 100)] * 5), *days("b", -5, [(7, 10)] * 5)]
    later = [*days("a", 0, [(19, 20)] * 5), *days("b", 0, [(70, 100)] * 5)]
    verdict = compared("accuracy", earlier, later, 5)
    assert verdict.difference == pytest.approx(0)
    assert verdict.answer == "not_decided"


def test_what_a_week_does_to_both_versions_is_taken_out() -> None:
    """Both versions run on two cameras at once: the light changes both by 10 points, and the versions differ by 2."""
    light = [0.8, 0.9, 0.82, 0.9, 0.81, 0.89]
    earlier = [*means("a", 0, *light), *means("b", 0, *light)]
    later = [*means("a", 0, *(one + 0.02 for one in light)), *means("b", 0, *(one + 0.02 for one in light))]
    together = compared("confidence", earlier, later, 6)
    apart = compared("confidence", means("a", -6, *light), means("a", 0, *(one + 0.02 for one in light)), 6)
    assert (together.answer, apart.answer) == ("later_is_higher", "not_decided")


def test_a_worse_version_is_told_and_a_few_labels_decide_nothing() -> None:
    random = Random(3)
    earlier = days("c", -8, [(random.choice([46, 47, 48]), 50) for _ in range(8)])
    later = days("c", 0, [(random.choice([38, 39, 40]), 50) for _ in range(6)])
    verdict = compared("accuracy", earlier, later, 6)
    assert verdict.answer == "later_is_worse"
    assert "1.1 is worse than 1.0: accuracy of 1.1 minus 1.0 is" in sentence(verdict, "1.0", "1.1")
    few = compared("accuracy", days("c", -8, [(1, 1)] * 8), days("c", 0, [(0, 1)] * 6), 6)
    assert (few.answer, few.difference, few.more_needed) == ("insufficient_data", None, 1)
    # all right, and all right: no spread between weeks, and still no proof
    alike = compared("accuracy", days("c", -5, [(5, 5)] * 5), days("c", 0, [(5, 5)] * 4 + [(4, 5)]), 5)
    assert alike.answer == "not_decided"


def test_a_verdict_waits_for_whole_weeks_and_never_for_more_than_thirteen() -> None:
    earlier = means("c", -8, *[0.9, 0.91] * 4)
    later = means("c", 0, *[0.9, 0.91] * 10)
    assert compared("confidence", earlier, later[:3], 3).more_needed == 1
    assert compared("confidence", earlier, later[:5], 4).later_sample == 4
    at_last, later_still = (compared("confidence", earlier, later[:weeks], weeks) for weeks in (13, 20))
    assert at_last == later_still
    assert at_last.later_sample == 13
    assert "more weeks hardly tell" in sentence(at_last, "1.0", "1.1")


def test_no_days_are_no_error() -> None:
    verdict = compare("confidence", [], [])
    assert (verdict.answer, verdict.more_needed) == ("insufficient_data", 4)


SWAPPED = {"later_is_better": "later_is_worse", "later_is_worse": "later_is_better"}


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_verdict_is_the_same_in_any_order_and_turns_round_with_the_versions(seed: int) -> None:
    """Both versions run in the same weeks, so that either may be the later one."""
    random = Random(seed)
    sides = [
        [
            CameraDay(f"c{camera}", BEGAN + timedelta(days=day), random.randint(0, 20), 20)
            for camera in range(random.randint(1, 3))
            for day in range(0, 42, random.randint(1, 5))
        ]
        for _ in range(2)
    ]
    ends = [CameraDay("c0", BEGAN, 10, 20), CameraDay("c0", BEGAN + timedelta(days=41), 10, 20)]
    one, other = ([*side, *ends] for side in sides)
    forth, back = compare("accuracy", one, other), compare("accuracy", other, one)
    assert compare("accuracy", random.sample(one, len(one)), random.sample(other, len(other))) == forth
    assert back.answer == SWAPPED.get(forth.answer, forth.answer)
    assert forth.difference is not None
    assert forth.difference_low is not None
    assert forth.difference_high is not None
    assert back.difference_low == pytest.approx(-forth.difference_high, abs=1e-12)
    assert forth.difference_low - 1e-12 <= forth.difference <= forth.difference_high + 1e-12
