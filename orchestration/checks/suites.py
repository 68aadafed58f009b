"""Shows in Dagster the results of judging, at the mart that each rule is about. Judging ran before publishing."""

from collections.abc import Iterator

import dagster as dg

from orchestration.resources import Warehouse
from quality.checks.results import CheckResult
from quality.expectations.suites import SUITES, Suite


def _key(suite: Suite) -> dg.AssetKey:
    return dg.AssetKey(["published", suite.mart])


@dg.multi_asset_check(
    name="checks",
    specs=[dg.AssetCheckSpec(name, asset=_key(suite)) for suite in SUITES for name in suite.checks],
)
def suite_checks(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[dg.AssetCheckResult]:
    """The checks of the published version. They inform and never hold anything back."""
    # Imported here: only a batch needs it.
    from quality.report import read_results

    found = read_results(warehouse.settings.quality_path)
    answers: dict[str, int] = {}
    for suite in SUITES:
        for name in suite.checks:
            result = found.get(name) or _missing(suite.mart, name)
            answers[result.status] = answers.get(result.status, 0) + 1
            if result.status == "failed":
                context.log.warning(result.sentence)
            yield as_check_result(suite, result)
    context.log.info(", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(answers.items())))


def _missing(mart: str, name: str) -> CheckResult:
    """The result of a rule that was applied to no cell, for instance for a plant without events."""
    return CheckResult(mart, name, "insufficient_data", "warning", None, "", 0, "There was nothing to judge.", "")


def as_check_result(suite: Suite, result: CheckResult) -> dg.AssetCheckResult:
    """A result in Dagster's form. A sample that is too small passes and says why."""
    return dg.AssetCheckResult(
        asset_key=_key(suite),
        check_name=result.name,
        passed=result.status != "failed",
        severity=dg.AssetCheckSeverity.ERROR if result.severity == "critical" else dg.AssetCheckSeverity.WARN,
        description=result.sentence,
        metadata={
            "status": result.status,
            "observed": "none" if result.observed is None else result.observed,
            "threshold": result.threshold,
            "sample_size": result.sample_size,
            "sentence": result.sentence,
            "notes": result.notes,
        },
    )
