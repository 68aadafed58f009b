"""The valid range of confidences; `quality/drift` judges whether they have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import great_expectations as gx

    from quality.expectations.suites import Plant

CHECKS = ("confidence_is_a_probability",)


def model_days_suite(_: Plant) -> gx.ExpectationSuite:
    """Rules for the frame `MODEL_DAYS`, one row per site and UTC date."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity

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
                    "wrong": "A mean confidence is not between 0 and 1",
                    "cell": ["site_id", "event_date"],
                    "sample": "event_count",
                },
            ),
        ],
    )
