from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_ind

from quality.retraining.verdicts import Labelled, compare_accuracy, compare_confidence, labelled_needed, sentence


def labelled(correct: int, count: int) -> Labelled:
    if count == 0:
        return Labelled(0, 0, None, None)
    interval = binomtest(correct, count).proportion_ci(0.95, method="wilson")
    return Labelled(count, correct, float(interval.low), float(interval.high))


def test_the_interval_of_a_difference_is_that_of_newcombes_first_example() -> None:
    """56 of 70 against 48 of 80: 0.0524 to 0.3339 by method 10 (table II of his paper)."""
    verdict = compare_accuracy(labelled(48, 80), labelled(56, 70))
    assert [verdict.difference_low, verdict.difference_high] == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert (verdict.answer, verdict.more_needed) == ("later_is_better", None)


def test_a_difference_that_may_be_chance_says_how_much_more_would_tell() -> None:
    verdict = compare_accuracy(labelled(45, 50), labelled(40, 50))
    assert verdict.answer == "not_decided"
    # the textbook's 199 of each for 80 % against 90 %, with a power of 80 %
    assert labelled_needed(0.9, 0.8) == 199
    assert verdict.more_needed == 149
    assert "about 149 more labelled events would tell" in sentence(verdict, "1.0", "1.1")


def test_two_equally_good_versions_get_no_verdict_however_large_the_sample() -> None:
    verdict = compare_accuracy(labelled(9500, 10_000), labelled(9501, 10_000))
    assert (verdict.answer, verdict.more_needed) == ("not_decided", 0)
    assert "would likely show" in sentence(verdict, "1.0", "1.1")


@pytest.mark.parametrize("few", [0, 1, 19])
def test_a_few_labels_decide_nothing(few: int) -> None:
    verdict = compare_accuracy(labelled(0, few), labelled(500, 500))
    assert (verdict.answer, verdict.more_needed) == ("insufficient_data", 20 - few)
    assert verdict.difference is None


def test_the_interval_of_confidence_is_welchs() -> None:
    earlier, later = [0.92, 0.90, 0.93, 0.91], [0.86, 0.88, 0.84, 0.87, 0.83, 0.85]
    verdict = compare_confidence(earlier, later)
    reference = ttest_ind(later, earlier, equal_var=False).confidence_interval(0.95)
    assert [verdict.difference_low, verdict.difference_high] == pytest.approx([reference.low, reference.high])
    assert verdict.answer == "later_is_worse"
    assert "1.1 is worse than 1.0" in sentence(verdict, "1.0", "1.1")


def test_days_that_are_all_alike_and_days_too_few_are_no_error() -> None:
    assert compare_confidence([0.9] * 3, [0.9] * 3).answer == "not_decided"
    assert compare_confidence([0.9] * 3, [0.8] * 3).answer == "later_is_worse"
    assert compare_confidence([0.9] * 3, [0.8, 0.7]).answer == "insufficient_data"
    assert compare_confidence([], []).more_needed == 3


def swapped(answer: str) -> str:
    return {"later_is_better": "later_is_worse", "later_is_worse": "later_is_better"}.get(answer, answer)


@given(st.integers(0, 300), st.integers(0, 300), st.data())
def test_the_verdict_of_accuracy_turns_round_with_the_versions(first: int, second: int, data: st.DataObject) -> None:
    one = labelled(data.draw(st.integers(0, first)), first)
    other = labelled(data.draw(st.integers(0, second)), second)
    forth, back = compare_accuracy(one, other), compare_accuracy(other, one)
    assert back.answer == swapped(forth.answer)
    assert back.more_needed == forth.more_needed
    if forth.difference is not None and forth.difference_low is not None and forth.difference_high is not None:
        assert forth.difference_low - 1e-12 <= forth.difference <= forth.difference_high + 1e-12
        assert back.difference_low == pytest.approx(-forth.difference_high, abs=1e-12)


@given(st.floats(0.02, 1), st.floats(0.02, 1))
def test_a_smaller_difference_around_the_same_middle_never_needs_fewer_labels(one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    assert labelled_needed(0.5 - smaller / 2, 0.5 + smaller / 2) >= labelled_needed(0.5 - larger / 2, 0.5 + larger / 2)
