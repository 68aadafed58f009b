"""Rules for landing, by day of landing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import great_expectations as gx

    from quality.expectations.suites import Plant

CHECKS = ("every_record_is_accounted_for",)


def landed_objects_suite(_: Plant) -> gx.ExpectationSuite:
    """Rules for the frame `LANDED_OBJECTS`, one row per landing day."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity

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
                meta={
                    "name": "every_record_is_accounted_for",
                    "wrong": "Records of landed objects are neither accepted nor rejected",
                    "cell": ["landed_on"],
                    "sample": "records",
                },
            ),
        ],
    )
