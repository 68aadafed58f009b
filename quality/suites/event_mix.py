"""How often each type of event may occur, over the newest days of the whole plant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import great_expectations as gx

CHECKS = ("event_mix_is_near_its_baseline",)

BASELINE = {"working": 0.70, "idle": 0.20, "absent": 0.05, "product_count": 0.05}
# In nats. A plant whose working share falls from 0.70 to 0.50 while idle takes its place is at 0.13.
HIGHEST_DIVERGENCE = 0.1
SMALLEST_SAMPLE = 200
# What a type outside the baseline is expected to be: without it a single one makes the divergence infinite.
TAIL_WEIGHT = 0.001


def event_mix_suite() -> gx.ExpectationSuite:
    """Rules for the frame `EVENT_MIX`, whose rows are a scaled-down sample of the newest days' events."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    return gx.ExpectationSuite(
        name="event_mix",
        expectations=[
            gxe.ExpectColumnKLDivergenceToBeLessThan(
                column="event_type",
                partition_object={"values": list(BASELINE), "weights": list(BASELINE.values())},
                threshold=HIGHEST_DIVERGENCE,
                tail_weight_holdout=TAIL_WEIGHT,
                row_condition=Column("total_events") >= SMALLEST_SAMPLE,
                severity=FailureSeverity.WARNING,
                description="The newest days have the four types of events in about the baseline's shares.",
                notes="A camera that was moved, or a model that takes idle for working, shifts the mix first.",
                meta={
                    "name": "event_mix_is_near_its_baseline",
                    "sample": "events",
                    "smallest_sample": SMALLEST_SAMPLE,
                },
            ),
        ],
    )
