"""What landing must have done, by the day on which it did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import great_expectations as gx

CHECKS = ("every_record_is_accounted_for", "few_records_are_rejected")

HIGHEST_REJECTED_SHARE = 0.05
SMALLEST_SAMPLE = 200
RECENT_DAYS = 7


def landed_objects_suite() -> gx.ExpectationSuite:
    """Rules for the frame `LANDED_OBJECTS`, one row per landing day."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    return gx.ExpectationSuite(
        name="landed_objects",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(
                column="unaccounted_records",
                min_value=0,
                max_value=0,
                severity=FailureSeverity.CRITICAL,
                description="Every record of a landed object is either accepted or rejected.",
                notes="A record that is neither has vanished: output and time are missing and no page says so.",
                meta={"name": "every_record_is_accounted_for", "cell": ["landed_on"], "sample": "records"},
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="rejected_share",
                max_value=HIGHEST_REJECTED_SHARE,
                row_condition=(Column("records") >= SMALLEST_SAMPLE) & (Column("age_days") < RECENT_DAYS),
                severity=FailureSeverity.WARNING,
                description=f"At most {HIGHEST_REJECTED_SHARE:.0%} of a day's records are rejected.",
                notes="A gateway that changed its format loses the floor's numbers one rejected record at a time.",
                meta={
                    "name": "few_records_are_rejected",
                    "cell": ["landed_on"],
                    "sample": "records",
                    "smallest_sample": SMALLEST_SAMPLE,
                },
            ),
        ],
    )
