"""One step that judges every suite on the published marts. Its checks inform; they never hold anything back."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from orchestration.resources import Warehouse
from quality.results import CheckResult
from quality.suites import SUITES, Suite


def _key(suite: Suite) -> dg.AssetKey:
    return dg.AssetKey(["published", suite.mart])


@dg.multi_asset_check(
    name="checks",
    specs=[dg.AssetCheckSpec(name, asset=_key(suite)) for suite in SUITES for name in suite.checks],
)
def suite_checks(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the new version of the marts."""
    started = time.monotonic()
    answers: dict[str, int] = {}
    for suite in SUITES:
        for result in judge(suite, warehouse.settings.published_path):
            answers[result.status] = answers.get(result.status, 0) + 1
            if result.status == "failed":
                context.log.warning(result.sentence)
            yield as_check_result(suite, result)
    counted = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(answers.items()))
    context.log.info(f"{counted} in {time.monotonic() - started:.1f} s")


def judge(suite: Suite, published: Path) -> list[CheckResult]:
    """The results of one suite on the published marts. A suite that cannot run has failed, and the batch goes on."""
    # Imported here: Great Expectations takes seconds, and only this step needs it.
    from quality.frames import read_frame
    from quality.validate import not_judged, validate

    try:
        return validate(suite.mart, suite.expectations(), read_frame(published, suite.frame))
    except Exception as error:  # noqa: BLE001  # whatever it is, the published marts are out and stay
        return [not_judged(suite.mart, name, error) for name in suite.checks]


def as_check_result(suite: Suite, result: CheckResult) -> dg.AssetCheckResult:
    """Dagster's form of a result. Too small a sample passes, and says why."""
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
