"""Judges a batch before it is published: runs drift checks, counts and suites, and stores results and incidents.

Reads aggregates, calls the pure rules and writes two tables. The caller must hold the warehouse's lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from ingestion.settings import Settings
from ingestion.warehouse import transaction
from quality import store
from quality.checks import counts, freshness
from quality.checks.look_alikes import look_alike_results
from quality.checks.old_events import old_event_results
from quality.checks.results import Cell, CheckResult, DayResult
from quality.checks.site_baselines import read_baselines
from quality.drift.panels import JUDGED_DAYS
from quality.expectations.suites import SUITES, Plant, Suite
from quality.incidents.incident import Incident, merge, settle
from quality.incidents.registries import is_registry_metric, merge_refused, read_refused
from quality.incidents.silences import merge_silences
from quality.incidents.walk import find_spells
from quality.judged_days import JudgedDays, judge_days, told_at


@dataclass(slots=True)
class Verdict:
    """The outcome for a batch: the stored results and incidents, the suites' results, and GX's own objects by suite.

    `opened` are the open incidents that no earlier batch knew. `errors` are messages about parts that could not be
    judged; the batch continues without them. `seconds` is the whole time, `import_seconds` that of GX's import.
    """

    results: list[DayResult] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    opened: list[Incident] = field(default_factory=list)
    suites: list[tuple[Suite, list[CheckResult]]] = field(default_factory=list)
    validated: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0
    import_seconds: float = 0.0


def judge(connection: duckdb.DuckDBPyConnection, settings: Settings, now: datetime) -> Verdict:
    """Judge the marts of an open warehouse and write `check_results` and `incidents`.

    The data is judged as of its newest landing. `now` decides only which sites fell silent. A part that cannot be
    judged is reported and left out, because a failed check must not stop the figures from being published.
    """
    started = time.monotonic()
    verdict = Verdict()
    store.make_tables(connection)
    connection.execute("set search_path = 'marts'")
    newest = connection.execute("select max(landed_at) from landed_objects").fetchone()
    if newest is None or newest[0] is None:
        return verdict
    judged_at: datetime = newest[0]
    landing_days = _days_until(judged_at.date(), JUDGED_DAYS)
    sites = [site for (site,) in connection.execute("select distinct site_id from model_days order by all").fetchall()]
    baselines = read_baselines(connection, sites)
    judged: JudgedDays | None = _try(
        verdict, "drift", lambda: judge_days(connection, settings, baselines, store.RESULT_DAYS)
    )
    of_days = judged.results if judged is not None else []
    of_landing = (
        _try(
            verdict,
            "landing",
            lambda: list(counts.landing_count_results(connection, landing_days[0], landing_days[-1])),
        )
        or []
    )
    may_name = settings.worker_identity != "aggregate"
    of_landing += (
        _try(verdict, "look-alikes", lambda: look_alike_results(connection, landing_days[-1], may_name=may_name)) or []
    )
    of_landing += (
        _try(
            verdict,
            "old events",
            lambda: old_event_results(connection, landing_days[0], landing_days[-1], settings.old_event_days),
        )
        or []
    )
    heard = _try(verdict, "freshness", lambda: freshness.read_heard(connection, now))
    of_sites = freshness.freshness(heard or [], now)
    known = store.read_incidents(connection)
    with transaction(connection):
        if judged is not None:
            kept = _days_until(judged.last, min((judged.last - judged.first).days + 1, store.RESULT_DAYS))
            store.replace_results(connection, of_days, judged_at, kept, landing=False)
        store.replace_results(connection, of_landing, judged_at, landing_days, landing=True)
        store.replace_freshness(connection, of_sites, now)
        _judge_suites(connection, Plant(baselines), verdict)
        of_suites = list(_suite_results(verdict, judged_at.date()))
        store.replace_results(connection, [*of_landing, *of_suites], judged_at, landing_days, landing=True)
        alarming = [each for each in (*of_landing, *of_suites) if each.metric != counts.DIVERGENCE]
        spells = find_spells(alarming, {}, landing_days)
        found = merge(
            [each for each in known if each.metric in counts.LANDING_METRICS], spells, judged_at, landing_days
        )
        silences = [each for each in known if each.metric == freshness.METRIC]
        if heard is not None:
            silences = merge_silences(silences, of_sites, {site.site_id: site.last_event_at for site in heard}, now)
        found += silences
        of_registries = [each for each in known if is_registry_metric(each.metric)]
        found += merge_refused(of_registries, read_refused(connection), now)
        elsewhere = {freshness.METRIC, *counts.LANDING_METRICS, *(each.metric for each in of_registries)}
        others = [each for each in known if each.metric not in elsewhere]
        if judged is not None:
            found += settle(
                others, judged.spells, (judged.first, judged.last), judged_at, told_at(connection, judged_at)
            )
            judged.remember(connection)
        else:
            found += others
        store.replace_incidents(connection, found, judged_at)
    verdict.results, verdict.incidents = [*of_days, *of_landing, *of_sites, *of_suites], found
    before = {incident.incident_id for incident in known}
    verdict.opened = [one for one in found if one.closed_at is None and one.incident_id not in before]
    verdict.seconds = time.monotonic() - started
    return verdict


def _judge_suites(connection: duckdb.DuckDBPyConnection, plant: Plant, verdict: Verdict) -> None:
    """Judge every suite on its frame. A suite that cannot run has failed, and the others continue."""
    started = time.monotonic()
    import great_expectations  # noqa: F401  # timed on its own: it is most of what checking costs

    from quality.expectations.frames import read_frame
    from quality.expectations.validate import not_judged, validate

    verdict.import_seconds = time.monotonic() - started
    for suite in SUITES:
        name = suite.expectations.__name__.removesuffix("_suite")

        def keep(result: Any, name: str = name) -> None:
            verdict.validated[name] = result

        try:
            results = validate(suite.mart, suite.expectations(plant), read_frame(connection, suite.frame), keep)
        except Exception as error:  # noqa: BLE001  # a suite that cannot run must not stop the batch
            results = [not_judged(suite.mart, check, error) for check in suite.checks]
        verdict.suites.append((suite, results))


def _suite_results(verdict: Verdict, day: date) -> list[DayResult]:
    """The suites' own rules as day results. The day checks already have rows of their own."""
    states = {"passed": "pass", "insufficient_data": "insufficient_data"}
    return [
        DayResult(
            evidence_date=day,
            check_name=result.name,
            metric=counts.INTEGRITY if result.severity == "critical" else counts.DIVERGENCE,
            cell=Cell("*"),
            status=states.get(result.status, "fail" if result.severity == "critical" else "warn"),
            severity=result.severity,
            observed=result.observed,
            threshold=None,
            sample_size=result.sample_size,
            effect=None,
            p_value=None,
            sentence=result.sentence,
            is_strong=result.severity == "critical",
        )
        for suite, results in verdict.suites
        if suite.mart != "check_results"
        for result in worst_by_name(results)
    ]


def worst_by_name(results: Sequence[CheckResult]) -> list[CheckResult]:
    """One result for each rule; for a rule judged per site, the worst one."""
    badness = {"failed": 2, "passed": 1, "insufficient_data": 0}
    worst: dict[str, CheckResult] = {}
    for result in results:
        if result.name not in worst or badness[result.status] > badness[worst[result.name].status]:
            worst[result.name] = result
    return list(worst.values())


def _days_until(last: date, count: int) -> list[date]:
    return [last - timedelta(days=number) for number in reversed(range(count))]


def _try(verdict: Verdict, what: str, part: Callable[[], Any]) -> Any:
    try:
        return part()
    except Exception as error:  # noqa: BLE001  # a failed check must not stop the figures
        verdict.errors.append(f"{what} could not be judged: {' '.join(str(error).split())[:300]}")
        return None
