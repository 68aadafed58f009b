"""Turns evidence into text: every interval with its record and rule, every discarded duplicate, every formula.

Pure: the same evidence always produces the same lines. docs/contract.md, §3 to §6, defines the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingestion.contract.events import PRODUCT_COUNT, STATES
from scripts.explain.reading import Evidence, Row, window_of


def tell(evidence: Evidence) -> list[str]:
    """The explanation of one shift, line by line."""
    shift = evidence.shift
    mine = [
        record
        for record in evidence.records
        if window_of(record, evidence.records, evidence.windows) == (shift["shift_date"], shift["shift_id"])
    ]
    kept = _kept(mine)
    person = f"{shift['worker_name']} ({shift['worker_id']}), site {shift['site_id']}"
    return [
        f"{person}, {shift['shift_date']}, shift {shift['shift_id']}",
        _window(evidence),
        "",
        f"STATES ({len(evidence.intervals)}), times of {evidence.timezone}, in brackets UTC",
        *(line for number in range(len(evidence.intervals)) for line in _interval(evidence, number, kept)),
        "",
        "UNITS COUNTED",
        *_counts(kept),
        "",
        "WHAT ADDS UP",
        *_sums(evidence),
        "",
        "WHAT THE CAMERAS SAW",
        *_coverage(evidence, kept),
        *_difference(evidence, kept),
    ]


def _window(evidence: Evidence) -> str:
    window = evidence.window
    if window is None:
        return "Time in no shift window; each gap between windows is worked out for itself and added up for the date."
    return (
        f"Window {window['started_local']:%Y-%m-%d %H:%M} to {window['ended_local']:%Y-%m-%d %H:%M} "
        f"({_utc(window['started_at'])} to {_utc(window['ended_at'])}), {_duration(window['scheduled_seconds'])}."
    )


def _kept(records: list[Row]) -> dict[tuple[Any, ...], list[Row]]:
    """The records of each duplicate key; the first one counts (contract §3)."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for record in records:
        key = (record["event_at"], record["workstation_id"], record["event_type"])
        groups.setdefault(key, []).append(record)
    return {key: sorted(own, key=_rank) for key, own in groups.items()}


def _rank(record: Row) -> tuple[Any, ...]:
    return (
        -record["confidence"],
        -record["unit_count"],
        record["camera_id"].encode(),
        record["model_name"].encode(),
        record["model_version"].encode(),
        record["object_id"],
        record["position"],
    )


def _why_lost(loser: Row, winner: Row) -> str:
    for name, word in (("confidence", "less confident"), ("unit_count", "a smaller count")):
        if loser[name] != winner[name]:
            return f"{word} ({loser[name]:g} < {winner[name]:g})"
    for name, word in (("camera_id", "camera"), ("model_name", "model"), ("model_version", "model version")):
        if loser[name] != winner[name]:
            return f"equally confident, and its {word} {loser[name]} comes after {winner[name]}"
    return "the same record once more"


def _interval(evidence: Evidence, number: int, kept: dict[tuple[Any, ...], list[Row]]) -> Iterator[str]:
    interval = evidence.intervals[number]
    after = evidence.intervals[number + 1] if number + 1 < len(evidence.intervals) else None
    start, end = interval["started_local"], interval["ended_local"]
    yield (
        f"  {start:%H:%M:%S} to {end:%H:%M:%S} [{_utc(interval['started_at'])} to {_utc(interval['ended_at'])}]  "
        f"{interval['state']} at {interval['workstation_id']}, {_duration(interval['seconds'])}"
    )
    yield f"      ended by: {_end(evidence, interval, after)}"
    made_by = kept.get((interval["started_at"], interval["workstation_id"], interval["state"]), [])
    if not made_by and _is_one_of(evidence, interval, "ended_at", interval["started_at"]):
        yield "      made by: the same state of the window before; the worker was seen shortly before and after its end"
    else:
        yield from _records(made_by)


def _is_one_of(evidence: Evidence, interval: Row, column: str, instant: datetime) -> bool:
    """Whether another interval with this state and station begins or ends at an instant."""
    return any(
        other[column] == instant
        and (other["state"], other["workstation_id"]) == (interval["state"], interval["workstation_id"])
        and other["started_at"] != interval["started_at"]
        for other in evidence.all_intervals
    )


def _end(evidence: Evidence, interval: Row, after: Row | None) -> str:
    if interval["end_reason"] == "next_event" and after is not None:
        if interval["seconds"] == 0:
            return (
                f"{after['state']} at {after['workstation_id']} at the same instant, which has a higher confidence "
                "(or the later station, then the later type); so this interval has no length"
            )
        if after["started_at"] == interval["ended_at"]:
            return f"the worker's next state event, {after['state']} at {after['workstation_id']}"
    if interval["end_reason"] == "window_end" and _is_one_of(evidence, interval, "started_at", interval["ended_at"]):
        return (
            f"the end of the window; the worker was seen again within {evidence.last_event_minutes:g} min, and the "
            "state goes on in the next window"
        )
    return {
        "next_event": "the worker's next state event, which belongs to another window",
        "assumed": f"the last state in the window lasts {evidence.last_event_minutes:g} min (LAST_EVENT_MINUTES) "
        "from when the worker was last seen in it",
        "window_end": "the end of the window; the worker was not seen again soon after it",
        "capped": f"no state lasts longer than {evidence.max_state_minutes or 0:g} min (MAX_STATE_MINUTES)",
    }.get(interval["end_reason"], str(interval["end_reason"]))


def _records(group: list[Row]) -> Iterator[str]:
    if not group:
        yield "      made by: a record that is no longer in the warehouse"
        return
    winner, *losers = group
    yield f"      made by: {_record(winner)}"
    for loser in losers:
        yield f"      duplicate: {_record(loser)}; does not count: {_why_lost(loser, winner)}"


def _record(record: Row) -> str:
    return (
        f"{record['object_key']}, record {record['position']}, camera {record['camera_id']}, "
        f"model {record['model_name']} {record['model_version']}, confidence {record['confidence']:g}"
    )


def _counts(kept: dict[tuple[Any, ...], list[Row]]) -> Iterator[str]:
    counts = [group for (_, _, event_type), group in sorted(kept.items()) if event_type == PRODUCT_COUNT]
    for group in counts:
        yield (
            f"  {group[0]['event_local']:%H:%M:%S} [{_utc(group[0]['event_at'])}]  {group[0]['unit_count']} at "
            f"{group[0]['workstation_id']}"
        )
        yield from _records(group)
    if not counts:
        yield "  none"


def _sums(evidence: Evidence) -> Iterator[str]:
    shift = evidence.shift
    for state, name in zip(STATES, ("active", "idle", "absent"), strict=True):
        own = [interval["seconds"] for interval in evidence.intervals if interval["state"] == state]
        yield f"  {name}_seconds = sum of {len(own)} {state} intervals = {_exact(shift[f'{name}_seconds'])}"
    yield f"  present_seconds = active + idle = {_exact(shift['present_seconds'])}"
    yield f"  tracked_seconds = present + absent = {_exact(shift['tracked_seconds'])}"
    yield f"  units = sum of the counts = {shift['units']}"
    hours = {"active": shift["active_seconds"] / 3600, "present": shift["present_seconds"] / 3600}
    for name, numerator, denominator in (
        ("utilization", "active_seconds", "present_seconds"),
        ("attendance", "present_seconds", "tracked_seconds"),
        ("shift_utilization", "active_seconds", "scheduled_seconds"),
    ):
        words = f"{numerator.removesuffix('_seconds')} ÷ {denominator.removesuffix('_seconds')}"
        below = "no schedule" if shift[denominator] is None else _exact(shift[denominator])
        yield f"  {name} = {words} = {_exact(shift[numerator])} ÷ {below} = {_ratio(shift[name])}"
    for word, length in hours.items():
        value = shift[f"units_per_{word}_hour"]
        yield f"  units_per_{word}_hour = units ÷ {word} hours = {shift['units']} ÷ {length:.4g} = {_number(value)}"


def _coverage(evidence: Evidence, kept: dict[tuple[Any, ...], list[Row]]) -> Iterator[str]:
    observed, scheduled = evidence.shift["observed_seconds"], evidence.shift["scheduled_seconds"]
    yield (
        f"  observed = for each event the time to the worker's next one, at most {evidence.last_event_minutes:g} min "
        f"(LAST_EVENT_MINUTES) = {_duration(observed)}"
    )
    if evidence.shift["coverage"] is not None:
        share = f"{evidence.shift['coverage']:.1%}"
        yield f"  coverage = observed ÷ scheduled = {_exact(observed)} ÷ {_exact(scheduled)} = {share}"
    for row in evidence.stations:
        yield (
            f"  at {row['workstation_id']} ({row['workstation_name']}): present {_duration(row['present_seconds'])}, "
            f"{row['units']} units, {row['event_count']} events"
        )
    seen = {(group[0]["camera_id"], group[0]["event_at"].date()) for group in kept.values()}
    for row in evidence.cameras:
        if (row["camera_id"], row["event_date"]) in seen:
            share = "nothing scheduled" if row["coverage"] is None else f"heard {row['coverage']:.1%} of the schedule"
            silence = row["longest_silence_seconds"]
            longest = "" if silence is None else f", longest silence {_duration(silence)}"
            yield f"  camera {row['camera_id']} on {row['event_date']} (UTC): {share}{longest}"


def _difference(evidence: Evidence, kept: dict[tuple[Any, ...], list[Row]]) -> Iterator[str]:
    if len(kept) != evidence.shift["event_count"]:
        yield ""
        yield (
            f"The published row counts {evidence.shift['event_count']} events and the warehouse has {len(kept)} now: "
            "records have landed or were deleted since; the next batch updates the row."
        )


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _exact(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _duration(seconds: float) -> str:
    whole = f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{seconds % 60:06.3f}".removesuffix(".000")
    return f"{whole} h"


def _ratio(value: float | None) -> str:
    return "no value (the denominator is 0 or missing)" if value is None else f"{value:.4f} ({value:.1%})"


def _number(value: float | None) -> str:
    return "no value (there were no such hours)" if value is None else f"{value:.4g}"
