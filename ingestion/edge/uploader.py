"""The uploader of one spool: takes files from the inbox, seals objects by age, and uploads each camera's in order.

A sealed object never changes, and it is removed after the target has it. If the uploader is killed in between, it
uploads the same content again under the same key, and landing recognises it. An object is uploaded only after all
earlier objects of its camera. After a failure the camera and the whole target wait (`backoff.py`): an unreachable
target gets one request per delay, not one per camera, and a camera that fails delays no other. A failed stage is noted
and the other stages go on, because uploading makes room on a full disk.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from ingestion.edge import disk
from ingestion.edge.backoff import Backoff
from ingestion.edge.camera import Camera
from ingestion.edge.errors import EdgeError, UploaderBusyError
from ingestion.edge.inbox import InboxFile, list_inbox
from ingestion.edge.ledger import Ledger
from ingestion.edge.names import OPEN, ObjectName, Stream
from ingestion.edge.spool import Spool, utc_now
from ingestion.edge.status import UPLOADER_LOCK, read_status, report_line
from ingestion.edge.target import Target
from ingestion.errors import SettingsError

LOCK_ATTEMPTS = 20  # `status` holds the lock for a moment to see whether it is free
LOCK_PAUSE_SECONDS = 0.05
GIVE_UP_AFTER_FAILURES = 3  # in a row in `run_once`: the target is away, and the other cameras are not tried

_log = logging.getLogger("floorhouse.edge")


class Uploader:
    """`step` is one round; `run` repeats it until it is stopped."""

    def __init__(
        self,
        spool: Spool,
        target: Target,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.spool, self.target = spool, target
        self.settings = spool.settings
        self.ledger = Ledger.read(spool.folder)
        self._now, self._monotonic, self._chance = now, monotonic, chance
        self._target_backoff = self._new_backoff()
        self._camera_backoffs: dict[Stream, Backoff] = {}
        self._open_since: dict[tuple[Stream, ObjectName], float] = {}
        self._refused: set[InboxFile] = set()
        self._turn = 0
        self._worth_a_request = self.settings.object_max_bytes // 16
        try:
            disk.make_folder(self.settings.inbox_dir)
            is_one_disk = os.stat(self.settings.inbox_dir).st_dev == os.stat(spool.folder).st_dev
        except OSError as error:
            raise SettingsError(f"The inbox {self.settings.inbox_dir} cannot be used: {error.strerror}.") from error
        if not is_one_disk:  # a file is taken by one rename, which works only on one disk
            raise SettingsError(f"The inbox {self.settings.inbox_dir} is not on the disk of the spool {spool.folder}.")

    def run(self, stop: threading.Event) -> None:
        """Upload until `stop` is set. What is left then is sealed and waits for the next run."""
        with self._only_uploader():
            self.seal_all()
            next_report = self._monotonic()
            while not stop.is_set():
                has_more = self.step(stop)
                if self._monotonic() >= next_report:
                    self._report()
                    next_report = self._monotonic() + self.settings.report_seconds
                self.ledger.write(self.spool.folder)
                if not has_more:
                    stop.wait(self.settings.poll_seconds)
            self.seal_all()
            self._report()

    def run_once(self) -> bool:
        """Upload everything without waiting; return whether nothing is left."""
        with self._only_uploader():
            self._take_inbox()
            self.seal_all()
            self._upload(threading.Event(), until=None)
            self._report()
            return not any(camera.objects() for camera in self.spool.cameras())

    def step(self, stop: threading.Event | None = None) -> bool:
        """One round: take files from the inbox, seal old objects, upload for about `poll_seconds`.

        Returns whether objects are left that could be uploaded now.
        """
        self._take_inbox()
        self._seal_by_age()
        return self._upload(stop or threading.Event(), until=self._monotonic() + self.settings.poll_seconds)

    def seal_all(self) -> None:
        """Seal every camera's open object."""
        for camera in self.spool.cameras():
            with self._noting_errors():
                self.spool.seal(camera)

    def _take_inbox(self) -> None:
        """Take the files that fit. If a file does not fit, the later files of its camera wait too."""
        files: list[InboxFile] = []
        with self._noting_errors():
            files = list_inbox(self.settings.inbox_dir, self.settings.stream, self.settings.spool_max_bytes)
        held_up: set[Stream] = set()
        for file in files:
            if file.refusal is not None:
                if file not in self._refused:
                    _log.warning("%s stays in the inbox: %s", file.path, file.refusal)
            elif file.stream not in held_up:
                held_up.add(file.stream)
                with self._noting_errors():
                    self.spool.take(file.path, file.ending, file.stream)
                    held_up.discard(file.stream)
        self._refused = {file for file in files if file.refusal is not None}

    def _seal_by_age(self) -> None:
        """Seal objects by the time since this uploader first saw them, on the monotonic clock: jumps of the wall clock
        have no effect.

        While an earlier object waits, the open object grows until it is worth its own request: after a day without a
        link a slow camera has a few objects to upload, not one for each minute.
        """
        now, still_open = self._monotonic(), {}
        for camera in self.spool.cameras():
            objects = camera.objects()
            for name in objects[-1:]:
                if name.ending != OPEN:
                    continue
                since = self._open_since.get((camera.stream, name), now)
                still_open[camera.stream, name] = since
                is_old = now - since >= self.settings.object_max_age_seconds
                if is_old and (len(objects) == 1 or disk.size_of(camera.path(name)) >= self._worth_a_request):
                    with self._noting_errors():
                        self.spool.seal(camera)
        self._open_since = still_open

    def _upload(self, stop: threading.Event, until: float | None) -> bool:
        """Upload one object of each camera in turn, oldest first, until none is left that may be tried.

        Returns whether the time `until` was over before. Without `until` every camera is tried, whatever failed before.
        """
        if until is not None and not self._target_backoff.is_due(self._monotonic()):
            return False
        queues = self._queues()
        while queues:
            for camera in list(queues):
                if stop.is_set() or (until is not None and self._monotonic() >= until):
                    return True
                if until is not None and not self._is_due(camera.stream):
                    del queues[camera]
                    continue
                is_uploaded = self._upload_one(camera, queues[camera].pop(0))
                if not is_uploaded and until is None and self._target_backoff.failures >= GIVE_UP_AFTER_FAILURES:
                    return False
                if not is_uploaded or not queues[camera]:
                    del queues[camera]
        return False

    def _queues(self) -> dict[Camera, list[ObjectName]]:
        """Each camera's sealed objects, oldest first. Every round begins with another camera."""
        cameras = self.spool.cameras()
        self._turn += 1
        at = self._turn % len(cameras) if cameras else 0
        queues: dict[Camera, list[ObjectName]] = {}
        for camera in cameras[at:] + cameras[:at]:
            sealed = [name for name in camera.objects() if name.ending != OPEN]
            if sealed:
                queues[camera] = sealed
        return queues

    def _is_due(self, stream: Stream) -> bool:
        now = self._monotonic()
        own = self._camera_backoffs.get(stream)
        return self._target_backoff.is_due(now) and (own is None or own.is_due(now))

    def _upload_one(self, camera: Camera, name: ObjectName) -> bool:
        """Upload and remove one object; False if the target did not take it."""
        own = self._camera_backoffs.setdefault(camera.stream, self._new_backoff())
        try:
            size = os.stat(camera.path(name)).st_size
            # If a power cut undid the sealed name, the object would be open again and grow under an uploaded key.
            disk.sync_folder(camera.folder)
            self.target.put(name.key(camera.stream), camera.path(name))
            self.spool.remove(camera, name)
        except FileNotFoundError:  # dropped to make room after it was listed
            return True
        except (EdgeError, OSError) as error:
            self.ledger.note_error(error, self._now())
            chance = self._chance()
            delay = max(backoff.failed(self._monotonic(), chance) for backoff in (own, self._target_backoff))
            _log.warning("attempt %d for %s failed, the next in %.1f s", own.failures, name.key(camera.stream), delay)
            return False
        own.succeeded()
        self._target_backoff.succeeded()
        self.ledger.note_upload(name.events, size, self._now())
        return True

    def _new_backoff(self) -> Backoff:
        return Backoff(self.settings.retry_base_seconds, self.settings.retry_max_seconds)

    @contextmanager
    def _only_uploader(self) -> Iterator[None]:
        descriptor = None
        for attempt in range(LOCK_ATTEMPTS):
            if attempt:
                time.sleep(LOCK_PAUSE_SECONDS)
            descriptor = disk.try_lock(self.spool.folder / UPLOADER_LOCK)
            if descriptor is not None:
                break
        else:
            raise UploaderBusyError(f"Another uploader works on the spool {self.spool.folder}.")
        try:
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _noting_errors(self) -> Iterator[None]:
        """Note a failure of the disk with one camera or file, and go on with the round."""
        try:
            yield
        except (EdgeError, OSError) as error:
            self.ledger.note_error(error, self._now())

    def _report(self) -> None:
        self.ledger.write(self.spool.folder)
        with self._noting_errors():
            _log.info("%s", report_line(read_status(self.spool, self._now())))
