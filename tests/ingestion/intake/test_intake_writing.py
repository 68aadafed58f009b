"""Group commit, with a bucket that the test controls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta

import pytest

from ingestion.errors import BucketError
from ingestion.intake.writing import MAX_LEFT_BEHIND, MAX_OBJECT_BYTES, GroupWriter, ObjectNames, Put


class RecordingBucket:
    """Stores the objects that are put. `gate` holds a put back until the test opens it."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    def put(self, key: str, content: bytes) -> None:
        assert self.gate.wait(30), key
        if self.error is not None:
            raise self.error
        self.objects.append(content)


def writer(put: Put, **settings: float | Callable[[], int]) -> GroupWriter:
    names = ObjectNames()
    chosen = {"group_bytes": 1000, "group_seconds": 60, "write_seconds": 30, **settings}
    return GroupWriter(put, lambda: names.next(datetime(2026, 1, 1, tzinfo=UTC)), **chosen)  # type: ignore[arg-type]


async def all_of(*writes: Coroutine[None, None, None]) -> list[BaseException | None]:
    return await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), 20)


def test_requests_that_come_during_a_write_share_the_next_object_in_their_order() -> None:
    bucket = RecordingBucket()

    async def scenario() -> None:
        group = writer(bucket.put)
        bucket.gate.clear()
        first = asyncio.create_task(group.write(b"1\n"))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(group.write(b"%d\n" % number)) for number in (2, 3, 4)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in (first, *others))
        bucket.gate.set()
        await all_of(*[asyncio.wait_for(task, 10) for task in (first, *others)])

    asyncio.run(scenario())
    assert bucket.objects == [b"1\n", b"2\n3\n4\n"]


@pytest.mark.parametrize(
    ("settings", "groups"),
    [
        ({"group_bytes": 4, "open_connections": lambda: 9}, [2, 2]),
        ({"open_connections": lambda: 4}, [4]),
        ({"group_seconds": 0.05, "open_connections": lambda: 9}, [4]),
        ({"group_seconds": 0, "open_connections": lambda: 9}, [1, 3]),
    ],
    ids=["when large enough", "when every connection waits", "when old enough", "at once, the rest meanwhile"],
)
def test_a_group_is_written(settings: dict[str, float | Callable[[], int]], groups: list[int]) -> None:
    bucket = RecordingBucket()

    async def scenario() -> None:
        group = writer(bucket.put, **settings)
        assert await all_of(*(group.write(b"%d\n" % number) for number in range(4))) == [None] * 4

    asyncio.run(scenario())
    assert [content.count(b"\n") for content in bucket.objects] == groups
    assert b"".join(bucket.objects) == b"0\n1\n2\n3\n"


def test_a_failed_write_fails_every_request_in_it_and_no_other() -> None:
    bucket = RecordingBucket()

    async def scenario() -> None:
        group = writer(bucket.put, open_connections=lambda: 2)
        bucket.error = BucketError("The disk is full.")
        assert [str(error) for error in await all_of(group.write(b"1\n"), group.write(b"2\n"))] == [
            "The disk is full."
        ] * 2
        assert str(group.failure) == "The disk is full."
        bucket.error = None
        assert await all_of(group.write(b"3\n"), group.write(b"4\n")) == [None, None]
        assert group.failure is None

    asyncio.run(scenario())
    assert bucket.objects == [b"3\n4\n"]


def test_a_bucket_that_hangs_is_an_error_in_time_and_does_not_hold_up_the_next_group() -> None:
    bucket = RecordingBucket()

    async def scenario() -> None:
        group = writer(bucket.put, write_seconds=0.1)
        bucket.gate.clear()
        (error,) = await all_of(group.write(b"1\n"))
        assert isinstance(error, BucketError)
        assert "within 0.1 s" in str(error)
        bucket.gate.set()
        assert await all_of(group.write(b"2\n")) == [None]

    asyncio.run(scenario())
    assert b"2\n" in bucket.objects


def test_a_bucket_that_hangs_for_long_ties_up_a_few_threads_only_and_is_used_again_when_it_is_back() -> None:
    bucket = RecordingBucket()

    async def scenario() -> None:
        group = writer(bucket.put, write_seconds=0.02)
        bucket.gate.clear()
        before = set(threading.enumerate())
        for number in range(3 * MAX_LEFT_BEHIND):
            (error,) = await all_of(group.write(b"%d\n" % number))
            assert isinstance(error, BucketError)
        assert len(set(threading.enumerate()) - before) == MAX_LEFT_BEHIND
        bucket.gate.set()
        async with asyncio.timeout(20):
            while await all_of(group.write(b"back\n")) != [None]:
                await asyncio.sleep(0.02)

    asyncio.run(scenario())
    assert b"back\n" in bucket.objects


def test_a_client_that_left_does_not_keep_the_others_from_their_answer() -> None:
    bucket = RecordingBucket()

    async def scenario() -> None:
        group = writer(bucket.put)
        bucket.gate.clear()
        leaving = asyncio.create_task(group.write(b"1\n"))
        await asyncio.sleep(0.02)
        leaving.cancel()
        staying = asyncio.create_task(group.write(b"2\n"))
        await asyncio.sleep(0.02)
        bucket.gate.set()
        await asyncio.wait_for(staying, 10)

    asyncio.run(scenario())
    assert bucket.objects == [b"1\n", b"2\n"]


def test_an_object_stops_growing_at_its_limit() -> None:
    bucket = RecordingBucket()
    line = b"x" * (MAX_OBJECT_BYTES // 2 - 1) + b"\n"

    async def scenario() -> None:
        group = writer(bucket.put, group_bytes=10 * MAX_OBJECT_BYTES, open_connections=lambda: 5)
        await all_of(*(group.write(line) for _ in range(4)), group.write(line * 4))

    asyncio.run(scenario())
    assert [len(content) // len(line) for content in bucket.objects] == [2, 2, 4]


def test_names_never_come_twice_whatever_the_clock_does() -> None:
    now = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    names, others = ObjectNames(), ObjectNames()
    keys = [source.next(now + timedelta(seconds=shift)) for source in (names, others) for shift in (0, 0, -5, 1)]
    assert len(set(keys)) == 8
    assert all(key.startswith(("events/intake/2026-01-01/", "events/intake/2026-01-02/")) for key in keys)
