"""Rules for every worker's shift, by site and shift date."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import great_expectations as gx

    from quality.expectations.suites import Plant

CHECKS = ("utilization_is_at_least_0", "utilization_is_at_most_1", "tracked_time_is_the_sum_of_its_states")

# Seconds come from whole microseconds: half a microsecond is rounding, more is missing time.
HIGHEST_DIFFERENCE_SECONDS = 5e-7

_CELL = {"cell": ["site_id", "shift_date"], "sample": "worker_shifts"}
_UTILIZATION_NOTES = (
    "A utilization outside 0 to 1 is time counted twice, and it is people who would be judged by it; "
    "null is right where nobody was present."
)


def worker_shifts_suite(_: Plant) -> gx.ExpectationSuite:
    """Rules for the frame `WORKER_SHIFTS`, one row per site and shift date with its lowest and highest values."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity

    return gx.ExpectationSuite(
        name="worker_shifts",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(
                column="lowest_utilization",
                min_value=0,
                severity=FailureSeverity.CRITICAL,
                description="No worker's utilization is below 0.",
                notes=_UTILIZATION_NOTES,
                meta={"name": "utilization_is_at_least_0", "wrong": "A worker's utilization is below 0", **_CELL},
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="highest_utilization",
                max_value=1,
                severity=FailureSeverity.CRITICAL,
                description="No worker's utilization is above 1.",
                notes=_UTILIZATION_NOTES,
                meta={"name": "utilization_is_at_most_1", "wrong": "A worker's utilization is above 1", **_CELL},
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="untracked_seconds",
                max_value=HIGHEST_DIFFERENCE_SECONDS,
                severity=FailureSeverity.CRITICAL,
                description="Active, idle and absent time of a worker's shift add up to the tracked time.",
                notes="Time that is in no state, or in two, makes every ratio of the shift wrong at once.",
                meta={
                    "name": "tracked_time_is_the_sum_of_its_states",
                    "wrong": "Active, idle and absent time do not add up to the tracked time",
                    **_CELL,
                },
            ),
        ],
    )
