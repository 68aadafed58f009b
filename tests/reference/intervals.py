"""Contract §3 and §5: which of several duplicates stays, and how long each state lasts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tests.reference.plant import Settings
from tests.reference.reading import Event
from tests.reference.windows import Window
from tests.reference.zones import SECOND

STATES = ("working", "idle", "absent")


@dataclass(frozen=True)
class Interval:
    """One state of one worker, from the event that started it to `ended_at` (microseconds)."""

    event: Event
    window: Window
    ended_at: int
    end_reason: str

    @property
    def started_at(self) -> int:
        return self.event.at

    @property
    def duration(self) -> int:
        return self.ended_at - self.event.at


def duplicate_key(event: Event) -> tuple[str, int, str | None, str, str]:
    return event.site_id, event.at, event.worker_id, event.workstation_id, event.event_type


def rank(event: Event) -> tuple[float, int, bytes, bytes, bytes]:
    """Of duplicates the one with the smallest rank stays."""
    return (
        -event.confidence,
        -event.count,
        event.camera_id.encode(),
        event.model_name.encode(),
        event.model_version.encode(),
    )


def without_duplicates(events: Iterable[Event]) -> list[Event]:
    kept: dict[tuple[str, int, str | None, str, str], Event] = {}
    for event in events:
        key = duplicate_key(event)
        kept[key] = min(kept.get(key, event), event, key=rank)
    return list(kept.values())


def state_intervals(events: Iterable[tuple[Event, Window]], settings: Settings) -> list[Interval]:
    """An interval for every state event, given events without duplicates and the window of each."""
    state_events = defaultdict(list)
    for event, window in events:
        if event.event_type in STATES:
            state_events[event.site_id, event.worker_id, window].append(event)
    intervals = []
    for (_, _, window), own in state_events.items():
        own.sort(key=lambda event: (event.at, event.confidence, event.workstation_id.encode(), event.event_type))
        ends = [(following.at, "next_event") for _, following in pairwise(own)]
        ends.append(end_of_last(own[-1], window, settings))
        for event, (ended_at, end_reason) in zip(own, ends, strict=True):
            intervals.append(capped(Interval(event, window, ended_at, end_reason), settings))
    return intervals


def end_of_last(event: Event, window: Window, settings: Settings) -> tuple[int, str]:
    assumed = event.at + microseconds(settings.last_event_minutes)
    return (window.ended_at, "window_end") if assumed > window.ended_at else (assumed, "assumed")


def capped(interval: Interval, settings: Settings) -> Interval:
    if settings.max_state_minutes is None:
        return interval
    latest = interval.started_at + microseconds(settings.max_state_minutes)
    if interval.ended_at <= latest:
        return interval
    return Interval(interval.event, interval.window, latest, "capped")


def microseconds(minutes: float) -> int:
    return round(minutes * 60 * SECOND)
