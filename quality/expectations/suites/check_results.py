"""Rules that the day checks of the newest days found no evidence. One rule for each check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality.checks import check_names, counts

if TYPE_CHECKING:
    import great_expectations as gx

    from quality.expectations.suites import Plant

# Check, the rule as a sentence, the harm it prevents, severity.
_RULES = (
    (
        check_names.CONFIDENCE_FLOOR,
        "The mean confidence of every camera and model version is not surely below the floor.",
        "A dirty lens or a bad model version shows here first; states seen wrongly become wrong hours.",
        "critical",
    ),
    (
        check_names.CONFIDENCE_DROP,
        "No camera's mean confidence fell surely below that of its own weeks before.",
        "A model that is less sure than it was makes more mistakes long before the floor is reached.",
        "warning",
    ),
    (
        check_names.LOW_SHARE,
        "No camera has surely more unsure events than in its own weeks before.",
        "One corner of the picture that went dark hides in a mean, not in the events it spoils.",
        "warning",
    ),
    (
        check_names.DISTRIBUTION,
        "No camera's distribution of confidence differs surely from that of its weeks before.",
        "A model that is sure of everything is as broken as one that is sure of nothing.",
        "warning",
    ),
    (
        check_names.OWN_MIX,
        "No camera's event mix moved surely from that of its own weeks before.",
        "A camera that was moved, or a model that takes idle for working, shifts the mix first.",
        "warning",
    ),
    (
        check_names.BASELINE_MIX,
        "No site's event mix moved surely by more than 15 % from its baseline.",
        "Hours are worked out from these types: a shifted mix is a shifted report on people.",
        "warning",
    ),
    (
        check_names.VOLUME,
        "No camera sends surely less than half of what it sent before, beside its site's others.",
        "A camera that loses every second event halves output and stretches states, and no page says so.",
        "warning",
    ),
    (
        check_names.COVERAGE,
        "No camera surely watches much less of the scheduled time than in its own weeks before.",
        "A camera that sleeps leaves the last state standing: people seem to work, or idle, for hours.",
        "warning",
    ),
    (
        check_names.LATENESS,
        "No camera's events surely arrive later than in its own weeks before.",
        "What arrives late is missing from the report of the shift it belongs to.",
        "warning",
    ),
    (
        counts.REJECTED.name,
        f"At most {counts.REJECTED.highest:.0%} of what lands in a day, in records and in bytes, is rejected.",
        "A gateway that changed its format loses the floor's numbers one rejected record at a time.",
        "warning",
    ),
    (
        check_names.FRESHNESS,
        "No site has been silent for longer than its usual weeks explain.",
        "A site that fell silent shows yesterday's numbers as if they were today's.",
        "critical",
    ),
    (
        counts.UNREAD.name,
        "No object lies in the bucket under a name that is not read.",
        "A recorder that writes .log where .json is read delivers for months, and nothing of it is ever counted.",
        "warning",
    ),
    (
        counts.UNREGISTERED.name,
        "Few shifts are of workers or workstations that no registry lists.",
        "A registry that lags behind puts people's hours under ids that nobody looks for.",
        "warning",
    ),
    (
        check_names.LOOK_ALIKES,
        "No id that cameras send looks like a registered one and is not.",
        "One badge in two spellings is two people: each has half of the hours, and one has no name.",
        "warning",
    ),
    (
        counts.DUPLICATES.name,
        f"At most {counts.DUPLICATES.highest:.0%} of all accepted events are duplicates.",
        "A gateway that sends everything again costs its bandwidth, and hides that it fears for its data.",
        "warning",
    ),
    (
        counts.CLOCK.name,
        "No camera sends events from the future.",
        "A clock that runs ahead puts events into the next shift, and another crew's report.",
        "warning",
    ),
    (
        check_names.OLD_EVENTS,
        "No camera sends events that are far older than its site's newest.",
        "A clock that stopped puts a day's work into the year 2000, where nobody looks for it.",
        "warning",
    ),
    (
        counts.RUNNING_TOTALS.name,
        "No camera's counts grow through a day without ever falling.",
        "A running total that is taken for what was made since the last report adds up to absurd output.",
        "warning",
    ),
    (
        counts.FALLING_COUNTERS.name,
        "No counter falls more than twice a day.",
        "Two machines under one camera's id give the units of neither.",
        "warning",
    ),
    (
        counts.JUMPING_COUNTERS.name,
        f"No counter jumps by more than {counts.JUMPING_COUNTERS.highest:.0f} times what is usual.",
        "One wrong reading adds a month of output to a shift.",
        "warning",
    ),
)

CHECKS = tuple(name for name, *_ in _RULES)


def check_results_suite(_: Plant) -> gx.ExpectationSuite:
    """Rules for the frame `CHECK_RESULTS`, one row per check and cell with its newest day."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    return gx.ExpectationSuite(
        name="check_results",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(
                column="evidence",
                max_value=0,
                row_condition=(Column("check_name") == name) & (Column("is_judged") == 1),
                severity=FailureSeverity.CRITICAL if severity == "critical" else FailureSeverity.WARNING,
                description=description,
                notes=notes,
                meta={"name": name, "cell": ["cell", "evidence_date"], "sample": "sample_size"},
            )
            for name, description, notes, severity in _RULES
        ],
    )
