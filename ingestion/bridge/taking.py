"""Brings groups of messages into the spool, and says which may be acknowledged.

The lines of a group share one fsync for each camera. Messages are acknowledged in the order in which they came, as MQTT
asks for, each after its last line is durable. If the spool refuses, what is not durable yet waits here for the next
attempt: a group at most.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ingestion.bridge import unmatched
from ingestion.bridge.connection import Message
from ingestion.bridge.framing import to_lines
from ingestion.bridge.ledger import Ledger
from ingestion.bridge.topics import Pattern, route
from ingestion.edge.camera import Camera
from ingestion.edge.errors import SpoolError
from ingestion.edge.ledger import instant
from ingestion.edge.spool import Spool

KNOWN_TOPICS = 10_000  # topics whose camera is remembered
OWN_OBJECT = ".json"  # the ending of an object that is one payload; landing looks at its first bytes


@dataclass(slots=True)
class _Waiting:
    """A message that is not acknowledged; `lines` are those that are not durable, None stands for the whole payload."""

    message: Message
    camera: Camera
    lines: list[bytes] | None
    is_durable: bool = field(default=False)


class Taking:
    """The group that is on its way into the spool."""

    def __init__(self, spool: Spool, patterns: list[Pattern], ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._spool, self._patterns, self._ledger, self._now = spool, patterns, ledger, now
        self._routes: dict[str | None, Camera] = {}
        self._unmatched = unmatched.unmatched_camera(spool)
        self._waiting: deque[_Waiting] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, messages: Iterable[Message]) -> None:
        """Frame and route messages; nothing is durable yet."""
        self._waiting.extend(map(self._framed, messages))

    def store(self) -> None:
        """Make everything durable, camera by camera.

        Raises:
            SpoolError: the spool refused; what is durable by then is acknowledged, the rest stays.
        """
        cameras: dict[Camera, list[_Waiting]] = {}
        for one in self._waiting:
            if not one.is_durable:
                cameras.setdefault(one.camera, []).append(one)
        for camera, waiting in cameras.items():
            self._store(camera, waiting)

    def acknowledged(self) -> Iterator[Message]:
        """The messages that may be acknowledged now, in order. Each leaves the group."""
        while self._waiting and self._waiting[0].is_durable:
            yield self._waiting.popleft().message

    def forget_durable(self) -> None:
        """Take what is durable out of the group: its connection is lost, so that it cannot be acknowledged."""
        self._waiting = deque(one for one in self._waiting if not one.is_durable)

    def _framed(self, message: Message) -> _Waiting:
        camera = self._routes.get(message.topic)
        if camera is None:
            stream = route(message.topic, self._patterns, self._spool.settings.stream)
            camera = self._unmatched if stream is None else self._spool.camera(stream)
            if len(self._routes) >= KNOWN_TOPICS:
                self._routes.clear()
            self._routes[message.topic] = camera
        if camera is self._unmatched:
            return _Waiting(message, camera, [unmatched.to_line(message, self._now())])
        return _Waiting(message, camera, to_lines(message.payload, self._spool.settings.object_max_bytes))

    def _store(self, camera: Camera, waiting: list[_Waiting]) -> None:
        """Store messages of one camera in order: runs of lines together, each other payload alone."""
        run: list[_Waiting] = []
        for one in waiting:
            if one.lines is None:
                self._store_lines(camera, run)
                run = []
                self._spool.put(one.message.payload, OWN_OBJECT, camera.stream)
                self._note(one, lines=0)
            else:
                run.append(one)
        self._store_lines(camera, run)

    def _store_lines(self, camera: Camera, run: list[_Waiting]) -> None:
        lines = [line for one in run for line in one.lines or ()]
        durable = len(lines)
        try:
            if lines:
                self._spool.append_to(camera, lines)
        except SpoolError as error:
            durable = error.acknowledged
            raise
        finally:
            for one in run:
                assert one.lines is not None
                count = len(one.lines)
                if count > durable:
                    del one.lines[:durable]
                    break
                durable -= count
                self._note(one, lines=count)

    def _note(self, one: _Waiting, lines: int) -> None:
        one.is_durable = True
        taken, message = self._ledger.taken, one.message
        taken["messages"] += 1
        taken["bytes"] += len(message.payload)
        taken["retained"] += message.is_retained
        taken["repeated"] += message.is_repeated
        if one.camera is self._unmatched:
            taken["unmatched"] += 1
            self._ledger.note_unmatched(message.topic)
        elif one.lines is None:
            taken["own_objects"] += 1
        else:
            taken["blank"] += not lines
            taken["lines"] += lines
        self._ledger.last_message_at = instant(self._now())


def take_again(spool: Spool, patterns: list[Pattern], now: Callable[[], datetime]) -> tuple[int, int]:
    """Route the unmatched messages again; how many were taken, and how many still match nothing.

    What a kill interrupts is taken once more: landing removes such duplicates.

    Raises:
        SpoolError: the spool refused; what it has not taken stays unmatched.
    """
    camera, taken, left = unmatched.unmatched_camera(spool), 0, 0
    spool.seal(camera)
    for name in camera.objects():
        if name.events is None:  # a bridge has begun it since
            continue
        lines = camera.path(name).read_bytes().splitlines(keepends=True)
        messages = list(map(unmatched.from_line, lines))
        is_taken = [route(message.topic, patterns, spool.settings.stream) is not None for message in messages]
        taken, left = taken + sum(is_taken), left + len(lines) - sum(is_taken)
        if not any(is_taken):
            continue
        taking = Taking(spool, patterns, Ledger(), now)
        taking.add(message for message, one in zip(messages, is_taken, strict=True) if one)
        taking.store()
        spool.append_to(camera, [line for line, one in zip(lines, is_taken, strict=True) if not one])
        spool.remove(camera, name)
    return taken, left
