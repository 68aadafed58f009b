"""Contract §3 to §5: which duplicate is kept, which window an event belongs to, and how long each state lasts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.reference.plant import Settings
from tests.reference.reading import Event
from tests.reference.windows import Calendar, Window, arrival
from tests.reference.zones import SECOND

STATES = ("working", "idle", "absent")
Subject = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Stretch:
    """A stretch of time in one window due to an event: a state that it started, or time that it vouches for."""

    event: Event
    window: Window
    started_at: int
    ended_at: int
    end_reason: str = ""

    @property
    def duration(self) -> int:
        return self.ended_at - self.started_at


def duplicate_key(event: Event) -> tuple[str, int, str | None, str, str]:
    return event.site_id, event.at, event.worker_id, event.workstation_id, event.event_type


def rank(event: Event) -> tuple[float, int, bytes, bytes, bytes]:
    """The duplicate with the smallest rank is kept."""
    return (
        -event.confidence,
        -event.count,
        event.camera_id.encode(),
        event.model_name.encode(),
        event.model_version.encode(),
    )


def counted_at(event: Event) -> int:
    """The instant of an event for all rules about windows, hours, arrival and stretches."""
    return event.at if event.count_total is None else event.at - 1


def subject_of(event: Event) -> Subject:
    """The worker, or for an event without a worker, the workstation."""
    return event.site_id, event.worker_id, event.workstation_id if event.worker_id is None else None


def shows_its_subject(event: Event) -> bool:
    return event.worker_id is not None or event.event_type in STATES


class Sightings:
    """All events of one subject in the order of §5, and the window of each of its instants."""

    def __init__(self, events: list[Event], calendar: Calendar) -> None:
        self.events = sorted(
            events, key=lambda e: (counted_at(e), e.confidence, e.workstation_id.encode(), e.event_type)
        )
        self.calendar = calendar
        self.is_person = events[0].worker_id is not None
        self.showing = [event for event in self.events if shows_its_subject(event)]
        self.shown_at = [counted_at(event) for event in self.showing]
        self.windows: dict[int, Window] = {}

    def window_at(self, instant: int) -> Window:
        """The window of an event of the subject at this instant. A station has no arrival."""
        if instant not in self.windows:
            arrived_at = arrival(self.shown_at, instant) if self.is_person else None
            self.windows[instant] = self.calendar.window_of(instant, arrived_at)
        return self.windows[instant]

    def placed(self) -> list[tuple[Event, Window]]:
        return [(event, self.window_at(counted_at(event))) for event in self.events]

    def last_seen_before(self, instant: int) -> int:
        return max(one for one in self.shown_at if one < instant)

    def first_seen_from(self, instant: int) -> int | None:
        return min((one for one in self.shown_at if one >= instant), default=None)

    def states(self, settings: Settings) -> Iterator[Stretch]:
        """Every state, including its continuation over the ends of windows."""
        state_events = [event for event in self.showing if event.event_type in STATES]
        for event, following in pairwise([*state_events, None]):
            assert event is not None
            until = None if following is None else counted_at(following)
            yield from capped(event, self.state(event, until, settings), settings)

    def state(self, event: Event, until: int | None, settings: Settings) -> Iterator[Stretch]:
        """One state up to the subject's next one (`until`), before it is capped."""
        longest = microseconds(settings.last_event_minutes)
        started_at = counted_at(event)
        while True:
            window = self.window_at(started_at)
            if until is not None and until < window.ended_at:
                yield Stretch(event, window, started_at, until, "next_event")
                return
            last_seen, seen_again = self.last_seen_before(window.ended_at), self.first_seen_from(window.ended_at)
            if seen_again is None or seen_again - last_seen > longest:
                assumed = last_seen + longest
                if assumed > window.ended_at:
                    yield Stretch(event, window, started_at, window.ended_at, "window_end")
                else:
                    yield Stretch(event, window, started_at, assumed, "assumed")
                return
            yield Stretch(event, window, started_at, window.ended_at, "window_end")
            started_at = window.ended_at
            if until == started_at:
                return

    def vouched(self, settings: Settings) -> Iterator[Stretch]:
        """Each event that shows the subject, with the time that it vouches for, window by window."""
        longest = microseconds(settings.last_event_minutes)
        for event, following in pairwise([*self.showing, None]):
            assert event is not None
            started_at = counted_at(event)
            window = self.window_at(started_at)
            end = started_at + longest if following is None else min(counted_at(following), started_at + longest)
            if following is None or counted_at(following) > end:
                yield Stretch(event, window, started_at, min(end, window.ended_at))
                continue
            while True:
                yield Stretch(event, window, started_at, min(end, window.ended_at))
                if end <= window.ended_at:
                    break
                started_at = window.ended_at
                window = self.window_at(started_at)


def capped(event: Event, stretches: Iterable[Stretch], settings: Settings) -> Iterator[Stretch]:
    """No state lasts longer than `max_state_minutes`, counted from its event."""
    if settings.max_state_minutes is None:
        yield from stretches
        return
    latest = counted_at(event) + microseconds(settings.max_state_minutes)
    for stretch in stretches:
        if stretch.started_at >= latest:
            return
        if stretch.ended_at > latest:
            yield Stretch(event, stretch.window, stretch.started_at, latest, "capped")
            return
        yield stretch


def sightings_of(events: Iterable[Event], calendars: dict[str, Calendar]) -> list[Sightings]:
    """The events of each subject, given events without duplicates."""
    by_subject: dict[Subject, list[Event]] = {}
    for event in events:
        by_subject.setdefault(subject_of(event), []).append(event)
    return [Sightings(own, calendars[subject[0]]) for subject, own in by_subject.items()]


def microseconds(minutes: float) -> int:
    return round(minutes * 60 * SECOND)
