import pytest

from ingestion.edge.backoff import Backoff, delay_seconds


@pytest.mark.parametrize(("failures", "longest"), [(0, 0), (1, 2), (2, 4), (3, 8), (6, 60), (5000, 60)])
def test_the_longest_delay_doubles_with_every_failure_up_to_the_limit(failures: int, longest: float) -> None:
    assert delay_seconds(failures, 2, 60, chance=1) == longest


def test_the_jitter_is_full_so_that_gateways_that_failed_together_come_back_apart() -> None:
    assert [delay_seconds(4, 1, 60, chance) for chance in (0, 0.25, 0.5, 1)] == [0, 2, 4, 8]


def test_an_attempt_is_due_only_when_its_delay_is_over() -> None:
    backoff = Backoff(base_seconds=10, max_seconds=100)
    assert backoff.is_due(0)
    assert backoff.failed(monotonic=5, chance=0.5) == 5
    assert [backoff.is_due(at) for at in (5, 9.9, 10)] == [False, False, True]


def test_a_success_resets_the_backoff() -> None:
    backoff = Backoff(base_seconds=1, max_seconds=100)
    for _ in range(5):
        backoff.failed(monotonic=0, chance=1)
    backoff.succeeded()
    assert backoff.is_due(0)
    assert backoff.failed(monotonic=0, chance=1) == 1
