"""Handles the requests of the labelling page: what waits for a reviewer, and the reviewer's answers.

An answer becomes a label record below `labels/` of the bucket, as durable as an event before it is acknowledged.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from ingestion.intake.answers import Problem
from ingestion.intake.judging import Unreadable
from ingestion.intake.keys import Reviewer, hash_of
from ingestion.intake.label_judging import FIELDS, as_line, instant, read_answer
from ingestion.intake.queues import QUEUES, REVIEW, Queues, QueueUnreadable, Scene
from ingestion.intake.service import JSON, KEY_HEADER, RETRY_BUCKET_SECONDS, Intake, refuse
from ingestion.intake.writing import GroupWriter
from ingestion.media_url import media_url

MAX_BODY_BYTES = 4 << 10
SCENES_AT_ONCE = 20  # so many questions a page can show without a connection
REMEMBERED = 20_000  # answers of a reviewer since the start


class Labelling:
    """The labelling part of a running intake. Without reviewers it answers that labelling is off."""

    def __init__(
        self, intake: Intake, reviewers: Mapping[str, Reviewer], queues: Queues, writer: GroupWriter, template: str
    ) -> None:
        self.template = template
        self._intake = intake
        self._reviewers = reviewers
        self._queues = queues
        self._writer = writer
        # By reviewer and key the record that is durable: until the next batch the marts do not know of it.
        self._given: dict[str, dict[str, dict[str, str]]] = {}

    async def waiting(self, request: Request) -> Response:
        """The answer to a GET: who the key says it is, what waits in each queue, and the next scenes of one queue."""
        return await self._intake.guarded(self._waiting(request))

    async def label(self, request: Request) -> Response:
        """The answer to a POST: 201 when the label is durable, 200 when it had been already."""
        return await self._intake.guarded(self._label(request))

    async def _waiting(self, request: Request) -> Response:
        reviewer, _ = self._reviewer_of(request)
        (queue,) = parse_qs(request.url.query).get("queue", [REVIEW])[:1]
        if queue not in QUEUES:
            raise Unreadable(Problem(422, "unknown_queue", f"The queue is none of {', '.join(QUEUES)}."))
        given = list(self._given.get(reviewer.name, {}))
        left, scenes = {}, []
        try:
            for name in QUEUES:
                found, left[name] = await asyncio.to_thread(
                    self._queues.waiting, name, reviewer, given, SCENES_AT_ONCE if name == queue else 1
                )
                scenes += [self._shown(scene) for scene in found] if name == queue else []
        except QueueUnreadable as error:
            return refuse(Problem(503, "queue_unreadable", str(error), RETRY_BUCKET_SECONDS))
        answer = {"reviewer": reviewer.name, "queue": queue, "left": left, "scenes": scenes}
        return Response(json.dumps(answer), media_type=JSON, headers={"Cache-Control": "no-store"})

    async def _label(self, request: Request) -> Response:
        reviewer, holder = self._reviewer_of(request)
        with self._intake.waiting.place(holder) as place:
            answered = read_answer(await self._intake.read(request, place, MAX_BODY_BYTES))
            given = self._given.setdefault(reviewer.name, {})
            present = given.get(answered.key)
            _, field, _ = FIELDS[answered.queue]
            if present is not None and present.get(field) == answered.answer:
                return Response(json.dumps(present), 200, media_type=JSON)  # sent again: it is one label
            try:
                scene = await asyncio.to_thread(self._queues.find, answered.queue, answered.key, reviewer)
            except QueueUnreadable as error:
                return refuse(Problem(503, "queue_unreadable", str(error), RETRY_BUCKET_SECONDS))
            if scene is None:
                detail = f"The {answered.queue} queue of this key's site has no such key; it may have left the queue."
                raise Unreadable(Problem(422, "not_in_queue", detail))
            record = answered.record(reviewer, self._intake.clock())
            await self._writer.write(as_line(record))
        given.pop(answered.key, None)
        given[answered.key] = record
        if len(given) > REMEMBERED:
            del given[next(iter(given))]
        return Response(json.dumps(record), 201, media_type=JSON)

    def _reviewer_of(self, request: Request) -> tuple[Reviewer, str]:
        """The reviewer, and the holder of the request's share.

        Raises:
            Unreadable: no reviewer has this key, or there are no reviewers.
        """
        if not self._reviewers:
            detail = "Labelling is off: FLOORHOUSE_INTAKE_REVIEWERS_FILE names no file of reviewers."
            raise Unreadable(Problem(403, "labelling_off", detail))
        hashed = hash_of(request.headers.get(KEY_HEADER) or "")
        reviewer = self._reviewers.get(hashed)
        if reviewer is None:
            detail = f"The header {KEY_HEADER} has no reviewer's key that is known here."
            raise Unreadable(Problem(401, "unknown_api_key", detail))
        return reviewer, hashed

    def _shown(self, scene: Scene) -> dict[str, object]:
        at = instant(scene.at)
        values = {
            "site_id": scene.site_id,
            "camera_id": scene.camera_id or "",
            "workstation_id": scene.workstation_id,
            "timestamp": at,
            "epoch_seconds": str(int(scene.at.timestamp())),
            "event_key": scene.key,
        }
        return {
            "key": scene.key,
            "timezone": scene.timezone,
            "site_id": scene.site_id,
            "at": at,
            "workstation_id": scene.workstation_id,
            "camera_id": scene.camera_id,
            "worker_id": scene.worker_id,
            "reported": scene.reported,
            "confidence": scene.confidence,
            "media": media_url(self.template, values),
        }
