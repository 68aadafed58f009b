"""Handles one request from its headers to its answer. The rules about records are elsewhere.

The cheapest checks come first: key, room and size, then the records, then the write to the bucket.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ingestion.bucket import Bucket
from ingestion.errors import BucketError
from ingestion.intake.answers import Health, Problem, problem_answer
from ingestion.intake.judges import JudgeLostError, Judges
from ingestion.intake.judging import Judge, Judged, Unreadable
from ingestion.intake.keys import ApiKeys, Sender, hash_of
from ingestion.intake.settings import IntakeSettings
from ingestion.intake.waiting import Place, TooManyWaiting, Waiting
from ingestion.intake.writing import PREFIX, GroupWriter, ObjectNames

KEY_HEADER = "X-API-Key"
JSON = "application/json"
RETRY_WAITING_SECONDS = 1  # until then some waiting requests are written
RETRY_BUCKET_SECONDS = 5  # an unreachable bucket is rarely back sooner


class Intake:
    """The state of a running intake: waiting requests, counts, and the writer."""

    def __init__(
        self,
        settings: IntakeSettings,
        keys: ApiKeys,
        bucket: Bucket,
        open_connections: Callable[[], int] = lambda: 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.clock = clock
        self.waiting = Waiting(settings.max_waiting_requests, settings.max_waiting_bytes)
        self._put, self._open_connections = bucket.put, open_connections
        self._writers: list[GroupWriter] = []
        self.writer = self.new_writer()
        self.accepted_events = 0
        self.rejected_records = 0
        self._judges = Judges()

    def new_writer(self, prefix: str = PREFIX) -> GroupWriter:
        """A writer of objects below a prefix of the bucket."""
        names = ObjectNames(prefix)
        writer = GroupWriter(
            self._put,
            lambda: names.next(self.clock()),
            group_bytes=self.settings.group_bytes,
            group_seconds=self.settings.group_milliseconds / 1000,
            write_seconds=self.settings.write_seconds,
            open_connections=self._open_connections,
        )
        self._writers.append(writer)
        return writer

    async def answer(self, request: Request, judge: Judge) -> Response:
        """The answer to a POST of events. It is 201 or 207 only when the accepted events are durable."""
        return await self.guarded(self._answer(request, judge))

    async def guarded(self, answering: Awaitable[Response]) -> Response:
        """What `answering` returns, or the refusal for what it raises."""
        try:
            return await answering
        except Unreadable as refused:
            return refuse(refused.problem)
        except TooManyWaiting as full:
            return refuse(Problem(429, "too_many_waiting", str(full), RETRY_WAITING_SECONDS))
        except JudgeLostError as error:
            return refuse(Problem(503, "judge_lost", str(error), RETRY_WAITING_SECONDS))
        except BucketError as error:
            return refuse(Problem(503, "bucket_unavailable", str(error), RETRY_BUCKET_SECONDS))
        except ClientDisconnect:
            return Response(status_code=400)  # the client has left

    async def _answer(self, request: Request, judge: Judge) -> Response:
        sender, holder = self._sender_of(request)
        with self.waiting.place(holder) as place:
            judged = await self._read_and_judge(request, judge, sender, holder, place)
            if judged.lines:
                await self.writer.write(judged.lines)
        self.accepted_events += judged.accepted
        self.rejected_records += judged.rejected
        return Response(judged.answer, judged.status, media_type=JSON)

    def health(self) -> Health:
        """Whether the newest writes reached the bucket, and how many requests and bytes wait."""
        failure = next((writer.failure for writer in self._writers if writer.failure), None)
        return Health(
            status="bucket_unavailable" if failure else "ok",
            detail=str(failure) if failure else None,
            waiting_requests=self.waiting.requests,
            waiting_bytes=self.waiting.bytes,
            accepted_events=self.accepted_events,
            rejected_records=self.rejected_records,
            written_objects=sum(writer.written_objects for writer in self._writers),
        )

    def _sender_of(self, request: Request) -> tuple[Sender, str]:
        """The sender, and the holder of the request's share: its key, or without keys the client's address."""
        key = request.headers.get(KEY_HEADER)
        sender = self.keys.sender_of(key)
        if sender is None:
            detail = f"The header {KEY_HEADER} has no key that is known here."
            raise Unreadable(Problem(401, "unknown_api_key", detail))
        if self.keys.senders:
            return sender, hash_of(key or "")
        return sender, request.client.host if request.client else ""

    async def _read_and_judge(
        self, request: Request, judge: Judge, sender: Sender, holder: str, place: Place
    ) -> Judged:
        """The judged body, unless another sender needs the room first: nothing is written yet, so nothing is lost."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as until:
                place.gives_way = lambda: until.reschedule(loop.time())
                body = await self.read(request, place, self.settings.max_body_bytes)
                judged = await self._judges.judge(judge, body, sender, self.clock(), holder)
                place.gives_way = None
        except TimeoutError as error:
            detail = "Other senders needed the room that this one's requests took; send it again later."
            raise TooManyWaiting(detail) from error
        if place.gave_way:
            raise TooManyWaiting("Other senders needed the room that this one's requests took; send it again later.")
        return judged

    async def read(self, request: Request, place: Place, limit: int) -> bytes:
        """The whole body, counted as it arrives: the announced length may be wrong.

        Raises:
            Unreadable: it has more than `limit` bytes, is empty, encoded, or comes too slowly.
        """
        encoding = request.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            detail = f'The body has the Content-Encoding "{encoding[:40]}"; only JSON without an encoding is accepted.'
            raise Unreadable(Problem(415, "encoded", detail))
        too_large = Problem(413, "too_large", f"The body has more than {limit} bytes; send it in parts.")
        announced = request.headers.get("content-length", "0")
        if announced.isascii() and announced.isdigit():
            if len(announced) > 18 or int(announced) > limit:
                raise Unreadable(too_large)
            place.hold(int(announced))
        body = bytearray()
        try:
            async with asyncio.timeout(self.settings.read_seconds):
                async for chunk in request.stream():
                    if len(body) + len(chunk) > limit:
                        raise Unreadable(too_large)
                    body += chunk
                    place.hold(len(body))
        except TimeoutError as error:
            detail = f"The body did not arrive within {self.settings.read_seconds:g} s."
            raise Unreadable(Problem(408, "too_slow", detail)) from error
        if not body:
            detail = "The body is empty; a request that has one says its Content-Length."
            raise Unreadable(Problem(400, "empty_body", detail))
        return bytes(body)


def refuse(problem: Problem) -> Response:
    """The answer to a refused request."""
    headers = {}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(math.ceil(problem.retry_after_seconds))
    if problem.status == 401:
        headers["WWW-Authenticate"] = f'ApiKey header="{KEY_HEADER}"'
    if problem.status in (408, 429):  # the rest of the body is not awaited
        headers["Connection"] = "close"
    return Response(problem_answer(problem), problem.status, headers, JSON)
