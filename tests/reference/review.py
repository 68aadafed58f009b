"""A plain reading of contract §7: from accepted events and labels to the marts of review, one loop at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import combinations
from typing import Any

from scipy.stats import binomtest

from ingestion.contract.event_key import event_key
from ingestion.contract.events import EVENT_TYPES, Event
from ingestion.contract.labels import CANNOT_TELL, Label

Rows = list[dict[str, Any]]
CONFIDENCE_BINS = 50


def wilson(hits: int, trials: int) -> tuple[float | None, float | None]:
    """The 95 % interval as scipy computes it."""
    if trials == 0:
        return None, None
    interval = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def majority(labels: Iterable[Label]) -> dict[str, Counter[str]]:
    """By event, how many reviewers gave each answer. The newest answer of each reviewer counts."""
    newest: dict[tuple[str, str], Label] = {}
    for label in labels:
        present = newest.get((label.event_key, label.reviewer))
        if (
            present is None
            or label.reviewed_at > present.reviewed_at
            or (label.reviewed_at == present.reviewed_at and label.true_event_type < present.true_event_type)
        ):
            newest[label.event_key, label.reviewer] = label
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for label in newest.values():
        if label.true_event_type == CANNOT_TELL:
            continue
        votes[label.event_key][label.true_event_type] += 1
    return votes


def winner(votes: Counter[str]) -> str | None:
    """The answer with most votes; None for a tie."""
    (best, count), *others = votes.most_common()
    return None if others and others[0][1] == count else best


def week_of(event: Event) -> Any:
    """The Monday of the event's ISO week."""
    day = event.timestamp.date()
    return day - timedelta(days=day.isoweekday() - 1)


def compute_review(events: list[Event], labels: list[Label], in_sample: set[str]) -> dict[str, Rows]:
    """The marts of labels (all but `labelled_events`) and `reviewer_agreement`, in no order."""
    votes = majority(labels)
    by_key: dict[str, Event] = {event_key(event): event for event in events}
    reports = {(event_key(one), one.site_id, one.model_name, one.model_version, one.event_type) for one in events}

    cells: dict[tuple[Any, ...], Rows] = defaultdict(list)
    pairs: Counter[tuple[Any, ...]] = Counter()
    surest: dict[tuple[Any, ...], float] = {}
    for one in events:
        source = (event_key(one), one.site_id, one.model_name, one.model_version, one.event_type)
        surest[source] = max(surest.get(source, 0.0), one.confidence)
    bins: Counter[tuple[Any, ...]] = Counter()
    for key, site, name, version, reported in reports:
        if key in votes:
            true = winner(votes[key])
            cells[site, name, version, reported, week_of(by_key[key])].append({"key": key, "true": true})
            if true is not None:
                pairs[site, name, version, reported, true] += key in in_sample
                place = min(int(surest[key, site, name, version, reported] * CONFIDENCE_BINS), CONFIDENCE_BINS - 1)
                bins[site, name, version, reported, true, week_of(by_key[key]), place] += key in in_sample
    accuracy = []
    for (site, name, version, reported, week), found in cells.items():
        drawn = [one for one in found if one["key"] in in_sample]
        labelled = [one for one in drawn if one["true"] is not None]
        correct = sum(one["true"] == reported for one in labelled)
        low, high = wilson(correct, len(labelled))
        accuracy.append(
            {
                "site_id": site,
                "model_name": name,
                "model_version": version,
                "event_type": reported,
                "week_started_on": week,
                "labelled_events": len(labelled),
                "correct_events": correct,
                "disputed_events": len(drawn) - len(labelled),
                "hand_picked_events": sum(one["true"] is not None for one in found if one not in drawn),
                "accuracy": correct / len(labelled) if labelled else None,
                "accuracy_low": low,
                "accuracy_high": high,
            }
        )
    confusion = [
        {
            "site_id": site,
            "model_name": name,
            "model_version": version,
            "event_type": reported,
            "true_event_type": true,
            "labelled_events": count,
            "share_of_reported": count / sum(pairs[site, name, version, reported, one] for one in EVENT_TYPES),
        }
        for (site, name, version, reported, true), count in pairs.items()
        if count
    ]
    known = {key: answers for key, answers in votes.items() if key in by_key}
    sampled = {key: answers for key, answers in known.items() if key in in_sample}
    return {
        "label_accuracy": accuracy,
        "label_confusion": confusion,
        "label_confidence": [
            {
                "site_id": site,
                "model_name": name,
                "model_version": version,
                "event_type": reported,
                "true_event_type": true,
                "week_started_on": week,
                "bin": place,
                "labelled_events": count,
            }
            for (site, name, version, reported, true, week, place), count in bins.items()
            if count
        ],
        "reviewer_agreement": _agreement(by_key, sampled),
        "label_estimates": _estimates(by_key, {key: winner(answers) for key, answers in sampled.items()}),
    }


def _agreement(by_key: dict[str, Event], votes: dict[str, Counter[str]]) -> Rows:
    rows = []
    for site in sorted({by_key[key].site_id for key in votes}):
        of_site = [answers for key, answers in votes.items() if by_key[key].site_id == site]
        shared = [answers for answers in of_site if answers.total() > 1]
        unanimous = sum(len(answers) == 1 for answers in shared)
        kappa = None
        if shared:
            agreeing = [
                [first == second for first, second in combinations(list(answers.elements()), 2)] for answers in shared
            ]
            observed = sum(sum(pairs) / len(pairs) for pairs in agreeing) / len(shared)
            answers_given = sum(shared, Counter())
            chance = sum((count / answers_given.total()) ** 2 for count in answers_given.values())
            kappa = (observed - chance) / (1 - chance) if len(answers_given) > 1 else None
        rows.append(
            {
                "site_id": site,
                "reviewed_events": len(of_site),
                "shared_events": len(shared),
                "unanimous_events": unanimous,
                "disputed_events": sum(winner(answers) is None for answers in of_site),
                "agreement": unanimous / len(shared) if shared else None,
                "fleiss_kappa": kappa,
            }
        )
    return rows


def _estimates(by_key: dict[str, Event], truths: dict[str, str | None]) -> Rows:
    rows = []
    for site, week in {(event.site_id, week_of(event)) for event in by_key.values()}:
        events = {k: one for k, one in by_key.items() if (one.site_id, week_of(one)) == (site, week)}
        reported = Counter(event.event_type for event in events.values())
        answers = {
            kind: Counter(truths[k] for k, one in events.items() if one.event_type == kind and truths.get(k))
            for kind in reported
        }
        is_covered = all(found.total() for found in answers.values())
        for true in EVENT_TYPES:
            row = {
                "site_id": site,
                "week_started_on": week,
                "event_type": true,
                "event_count": reported[true],
                "labelled_events": sum(found.total() for found in answers.values()),
                "reported_share": reported[true] / reported.total(),
                "estimated_share": None,
                "estimated_share_low": None,
                "estimated_share_high": None,
            }
            if is_covered:
                estimate = below = above = 0.0
                for kind, found in answers.items():
                    weight, share = reported[kind] / reported.total(), found[true] / found.total()
                    low, high = wilson(found[true], found.total())
                    assert low is not None
                    assert high is not None
                    estimate += weight * share
                    below += (weight * (share - low)) ** 2
                    above += (weight * (high - share)) ** 2
                row["estimated_share"] = estimate
                row["estimated_share_low"] = max(0.0, estimate - below**0.5)
                row["estimated_share_high"] = min(1.0, estimate + above**0.5)
            rows.append(row)
    return rows
