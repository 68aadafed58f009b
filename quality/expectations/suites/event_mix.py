"""Limits the divergence of a site's newest week of events from its baseline, as Great Expectations computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.contract.events import EVENT_TYPES

if TYPE_CHECKING:
    import great_expectations as gx

    from quality.expectations.suites import Plant

CHECKS = ("event_mix_divergence_is_small",)

# In nats. A working share that falls from 0.70 to 0.50 in favour of idle has a divergence of 0.13.
HIGHEST_DIVERGENCE = 0.1
SMALLEST_SAMPLE = 200
# The expected share of types outside the baseline. Without it, a single such event would make the divergence infinite.
TAIL_WEIGHT = 0.001


def event_mix_suite(plant: Plant) -> gx.ExpectationSuite:
    """One rule for each site, for the frame `EVENT_MIX`, whose rows are a scaled-down sample of its newest events."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    return gx.ExpectationSuite(
        name="event_mix",
        expectations=[
            gxe.ExpectColumnKLDivergenceToBeLessThan(
                column="event_type",
                partition_object={"values": list(EVENT_TYPES), "weights": list(baseline.shares)},
                threshold=HIGHEST_DIVERGENCE,
                tail_weight_holdout=TAIL_WEIGHT,
                row_condition=(Column("total_events") >= SMALLEST_SAMPLE) & (Column("site_id") == site),
                severity=FailureSeverity.WARNING,
                description=f"The newest week of site {site} has about the shares of events of {baseline.origin}.",
                notes="A camera that was moved, or a model that takes idle for working, shifts the mix first.",
                meta={
                    "name": "event_mix_divergence_is_small",
                    "wrong": f"The newest week of site {site} has other shares of events than {baseline.origin}",
                    "site": site,
                    "sample": "events",
                    "smallest_sample": SMALLEST_SAMPLE,
                },
            )
            for site, baseline in sorted(plant.baselines.items())
        ],
    )
