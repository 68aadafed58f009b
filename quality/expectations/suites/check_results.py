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
        "No mean confidence of a camera and model version is significantly below the floor.",
        "A dirty lens or a bad model version shows here first; wrong states become wrong hours.",
        "critical",
    ),
    (
        check_names.CONFIDENCE_DROP,
        "No camera's mean confidence is significantly below that of its own previous weeks.",
        "A model that is less sure than before makes more mistakes, long before it reaches the floor.",
        "warning",
    ),
    (
        check_names.LOW_SHARE,
        "No camera has significantly more unsure events than in its own previous weeks.",
        "If one corner of the picture goes dark, the mean hardly changes, but some events become unsure.",
        "warning",
    ),
    (
        check_names.DISTRIBUTION,
        "No camera's distribution of confidence differs significantly from that of its own previous weeks.",
        "A model that is sure of everything is as broken as one that is sure of nothing.",
        "warning",
    ),
    (
        check_names.OWN_MIX,
        "No camera's event mix differs significantly from that of its own previous weeks.",
        "If a camera is moved, or a model takes idle for working, the event mix changes first.",
        "warning",
    ),
    (
        check_names.BASELINE_MIX,
        "No site's event mix differs significantly, and by 15 % or more, from its baseline.",
        "Hours are computed from these types: with a wrong mix, the report on people is wrong.",
        "warning",
    ),
    (
        check_names.VOLUME,
        "No camera sends significantly less than half of its usual events, compared with its site's other cameras.",
        "If a camera loses every second event, output is halved and states become longer, and no page says so.",
        "warning",
    ),
    (
        check_names.COVERAGE,
        "No camera covers significantly less of the scheduled time than in its own previous weeks.",
        "If a camera is silent, the last state continues: people seem to work, or to be idle, for hours.",
        "warning",
    ),
    (
        check_names.LATENESS,
        "No camera has significantly more late events than in its own previous weeks.",
        "Late events are missing from the report of their shift.",
        "warning",
    ),
    (
        counts.REJECTED.name,
        f"At most {counts.REJECTED.highest:.0%} of what lands in a day, in records and in bytes, is rejected.",
        "If a gateway changes its format, every rejected record is missing from the figures.",
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
        "No object in the bucket has a name that landing does not read.",
        "A recorder that writes .log files instead of .json files delivers for months, and no event is ever counted.",
        "warning",
    ),
    (
        counts.UNREGISTERED.name,
        "Few shifts are of workers or workstations that no registry lists.",
        "If a registry is not up to date, people's hours are under ids that nobody looks for.",
        "warning",
    ),
    (
        check_names.LOOK_ALIKES,
        "No unregistered id that cameras send looks like a registered one.",
        "One badge in two spellings counts as two people: each has half of the hours, and one has no name.",
        "warning",
    ),
    (
        counts.DUPLICATES.name,
        f"At most {counts.DUPLICATES.highest:.0%} of all accepted events are duplicates.",
        "If a gateway sends everything again, it wastes bandwidth, and its reason to send again stays unknown.",
        "warning",
    ),
    (
        counts.CLOCK.name,
        "No camera sends events from the future.",
        "If a clock runs ahead, events count for the next shift and appear in another crew's report.",
        "warning",
    ),
    (
        check_names.OLD_EVENTS,
        "No camera sends events that are far older than its site's newest.",
        "If a clock stopped, a day's work can be dated in the year 2000, where nobody looks for it.",
        "warning",
    ),
    (
        counts.RUNNING_TOTALS.name,
        "No camera's counts grow through a day without ever falling.",
        "If a running total is read as the units since the last report, the sum is an absurd output.",
        "warning",
    ),
    (
        counts.FALLING_COUNTERS.name,
        "No counter falls more than twice a day.",
        "If two machines share one camera's id, the units of both are wrong.",
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
