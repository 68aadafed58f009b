"""What the cameras' models must be confident of, by site and UTC date."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import great_expectations as gx

CHECKS = ("confidence_is_a_probability", "daily_confidence_is_above_the_floor")

CONFIDENCE_FLOOR = 0.85
SMALLEST_SAMPLE = 200
RECENT_DAYS = 7


def model_days_suite() -> gx.ExpectationSuite:
    """Rules for the frame `MODEL_DAYS`, one row per site and UTC date."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    return gx.ExpectationSuite(
        name="model_days",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(
                column="mean_confidence",
                min_value=0,
                max_value=1,
                severity=FailureSeverity.CRITICAL,
                description="A mean confidence lies between 0 and 1.",
                notes="Outside that range the mean itself is computed wrongly, and every comparison of models with it.",
                meta={
                    "name": "confidence_is_a_probability",
                    "cell": ["site_id", "event_date"],
                    "sample": "event_count",
                },
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="mean_confidence",
                min_value=CONFIDENCE_FLOOR,
                row_condition=(Column("event_count") >= SMALLEST_SAMPLE) & (Column("age_days") < RECENT_DAYS),
                severity=FailureSeverity.WARNING,
                description=f"The mean confidence of a site's day is at least {CONFIDENCE_FLOOR}.",
                notes="A dirty lens or a bad model version shows here first; states seen wrongly become wrong hours.",
                meta={
                    "name": "daily_confidence_is_above_the_floor",
                    "cell": ["site_id", "event_date"],
                    "sample": "event_count",
                    "smallest_sample": SMALLEST_SAMPLE,
                },
            ),
        ],
    )
