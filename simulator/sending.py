"""Carries out a planned delivery: encodes the records block by block and writes objects in order of arrival."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingestion.contract.events import REASONS
from simulator.delivery import Delivery
from simulator.encoding import LineEncoder
from simulator.fleet import Site
from simulator.malformed import spoil
from simulator.objects import SUFFIXES, FolderBucket, encoded, whole_lines
from simulator.rows import take
from simulator.truth import instants

ROWS_AT_ONCE = 50_000  # bounds the memory; larger blocks also fall out of the processor's cache

Report = Callable[[str], None]
Faults = dict[int, list[tuple[int, str, int]]]  # by object: position of the record, reason, variant


@dataclass(frozen=True)
class Sent:
    """The arrivals up to the limit: one row per arrival in `deliveries`, and total counts.

    They contain the first `rows` rows of the plan.
    """

    deliveries: pa.Table
    rows: int
    records: int
    malformed: Counter[str]


def send(
    site: Site,
    plan: Delivery,
    bucket: FolderBucket,
    report: Report,
    after_ms: int | None = None,
    until_ms: int | None = None,
) -> Sent:
    """Write every object of the plan that arrives after `after_ms` and up to `until_ms`; None means no limit.

    A retried object is kept in memory until its second copy is due. The result counts everything that has arrived by
    `until_ms`, including earlier calls.
    """
    arrived = len(plan.causes) if until_ms is None else int(np.searchsorted(plan.arrives_ms, until_ms, side="right"))
    before = 0 if after_ms is None else int(np.searchsorted(plan.arrives_ms, after_ms, side="right"))
    starts = [0, *plan.row_ends.tolist()]
    faults = _faults(plan, starts)
    contents = _contents(site, plan, starts, faults, report)
    waiting: dict[int, bytes] = {}
    keys, records, malformed, reasons = [], [], [], Counter[str]()
    arrivals = zip(plan.arrivals.tolist()[:arrived], plan.causes[:arrived], plan.arrives_ms.tolist(), strict=False)
    for place, (number, cause, arrives_ms) in enumerate(arrivals):
        key = plan.keys[number]
        if cause == "retry":
            key, content = f"{key}-retry", waiting.pop(number)
        else:
            content = next(contents)
            if plan.retried[number]:
                waiting[number] = content
        held, bad = starts[number + 1] - starts[number], [reason for _, reason, _ in faults.get(number, [])]
        if cause == "truncated":
            content = content[: len(content) // 2]
            whole = whole_lines(content)
            # By the contract, the truncated rest counts as one rejected record.
            bad = [reason for position, reason, _ in faults.get(number, []) if position < whole] + ["malformed_json"]
            held = whole + 1
        keys.append(f"{key}{SUFFIXES[plan.kinds[number]]}")
        if place >= before:
            bucket.put(keys[-1], content, arrives_ms)
        records.append(held)
        malformed.append(len(bad))
        reasons.update(bad)
    # Objects are numbered in order of first arrival, so the arrived ones come first.
    rows = starts[sum(cause != "retry" for cause in plan.causes[:arrived])]
    report(f"{site.site_id}: {rows:,} events in {len(keys):,} objects")
    table = pa.table(
        {
            "object_key": pa.array(keys, pa.string()),
            "cause": pa.array(plan.causes[:arrived], pa.string()),
            "delivered_at": instants(plan.arrives_ms[:arrived]),
            "records": pa.array(records, pa.int64()),
            "malformed_records": pa.array(malformed, pa.int64()),
        }
    )
    return Sent(table, rows, sum(records), reasons)


def _faults(plan: Delivery, starts: list[int]) -> Faults:
    faults: Faults = defaultdict(list)
    numbers = np.searchsorted(plan.row_ends, plan.bad_rows, side="right").tolist()
    rows_and_reasons = zip(numbers, plan.bad_rows.tolist(), plan.bad_reasons.tolist(), strict=True)
    for variant, (number, row, reason) in enumerate(rows_and_reasons):
        faults[number].append((row - starts[number], REASONS[reason], variant))
    return dict(faults)


def _contents(site: Site, plan: Delivery, starts: list[int], faults: Faults, report: Report) -> Iterator[bytes]:
    """The content of object 0, 1, … of the plan."""
    encoder = LineEncoder(site)
    line_ends = [camera.line_end.encode() for camera in site.cameras]
    cameras, kinds = plan.cameras.tolist(), plan.kinds.tolist()
    first = 0
    while first < len(kinds):
        offset = starts[first]
        end = max(first + 1, int(np.searchsorted(plan.row_ends, offset + ROWS_AT_ONCE, side="right")))
        lines = encoder.encode(take(plan.rows, slice(offset, starts[end])))
        for number in range(first, end):
            body, line_end = (
                lines.body(starts[number] - offset, starts[number + 1] - offset),
                line_ends[cameras[number]],
            )
            if number in faults:
                body = _with_faults(body, line_end, faults[number])
            yield encoded(body, line_end, kinds[number])
        report(f"{site.site_id}: {starts[end]:,} of {starts[-1]:,} events written")
        first = end


def _with_faults(body: bytes, line_end: bytes, faults: list[tuple[int, str, int]]) -> bytes:
    records = body.split(line_end)
    for position, reason, variant in faults:
        records[position] = spoil(records[position], reason, variant)
    return line_end.join(records)
