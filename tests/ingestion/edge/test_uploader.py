import threading
from pathlib import Path

import pytest

from ingestion.edge.errors import UploaderBusyError, UploadError
from ingestion.edge.status import read_status
from ingestion.edge.target import FolderTarget, Target
from tests.ingestion.edge.gateway import SMALL_OBJECTS, Clock, Gateway
from tests.plant import NOW


class FlakyTarget:
    """A folder whose n-th request fails: before the object is written, or after it, so that the answer is lost."""

    def __init__(self, landing: Path, fails: set[int], is_after: bool = False) -> None:
        self.folder, self.fails, self.is_after = FolderTarget(landing), fails, is_after
        self.requests: list[tuple[str, bytes]] = []

    def put(self, key: str, path: Path) -> None:
        self.requests.append((key, path.read_bytes()))
        is_failing = len(self.requests) in self.fails
        if self.is_after or not is_failing:
            self.folder.put(key, path)
        if is_failing:
            raise UploadError(f"request {len(self.requests)} failed.")


class AwayTarget:
    """A target that cannot be reached until it is `back`. It never accepts the camera `refuses`."""

    def __init__(self, landing: Path, refuses: str = "") -> None:
        self.folder, self.refuses = FolderTarget(landing), refuses
        self.is_back, self.attempts = False, 0

    def put(self, key: str, path: Path) -> None:
        self.attempts += 1
        if not self.is_back or (self.refuses and self.refuses in key):
            raise UploadError("no route to host.")
        self.folder.put(key, path)


def run_until_empty(gateway: Gateway, target: Target, clock: Clock) -> int:
    """Run rounds, with a clock that moves between them, until the spool is empty. Returns the number of rounds."""
    uploader = gateway.uploader(target, monotonic=clock, chance=lambda: 1.0)
    for rounds in range(1, 1000):
        uploader.step()
        if not gateway.spooled():
            return rounds
        clock.seconds += gateway.settings.poll_seconds
    raise AssertionError(f"still in the spool: {gateway.spooled()}")


@pytest.mark.parametrize("is_after", [False, True], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("n", range(1, 9))
def test_a_request_that_fails_is_repeated_with_the_same_key_and_content_and_in_order(
    tmp_path: Path, n: int, is_after: bool
) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    for at in range(12):
        gateway.spool.append({"n": at}, camera_id=f"C{at % 2}")
    target = FlakyTarget(gateway.landing, {n, n + 2}, is_after)
    gateway.uploader().seal_all()
    run_until_empty(gateway, target, Clock())
    contents = dict(target.requests)
    assert all(contents[key] == content for key, content in target.requests)
    assert len(target.requests) == 4 + len({n, n + 2} & {*range(1, len(target.requests) + 1)})
    for camera in ("C0", "C1"):
        order = [key for key, _ in target.requests if camera in key]
        assert order == sorted(order)
        assert gateway.events(camera) == [at for at in range(12) if f"C{at % 2}" == camera]


def test_after_a_failure_a_cameras_later_objects_wait_for_the_one_that_failed(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    gateway.spool.append_many([{"n": n} for n in range(9)])
    target = FlakyTarget(gateway.landing, {2})
    uploader = gateway.uploader(target, monotonic=Clock(), chance=lambda: 1.0)
    uploader.step()
    uploader.step()
    assert gateway.events() == [0, 1, 2]
    assert len(target.requests) == 2


@pytest.mark.parametrize("is_single_round", [True, False], ids=["single round", "no delay"])
def test_no_delay_is_needed_to_keep_the_order(tmp_path: Path, is_single_round: bool) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    gateway.spool.append_many([{"n": n} for n in range(9)])
    uploader = gateway.uploader(FlakyTarget(gateway.landing, {2}), chance=lambda: 0.0)
    if is_single_round:
        assert not uploader.run_once()
    else:
        uploader.step()
    assert gateway.events() == [0, 1, 2]


def test_an_unreachable_target_is_retried_ever_more_rarely_and_gets_everything_when_it_is_back(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, retry_base_seconds=1, retry_max_seconds=60, **SMALL_OBJECTS)
    for n in range(60):
        gateway.spool.append({"n": n}, camera_id=f"C{n % 10}")
    target, clock = AwayTarget(gateway.landing), Clock()
    uploader = gateway.uploader(target, monotonic=clock, chance=lambda: 1.0)
    uploader.seal_all()
    attempts = []
    while clock.seconds < 600:
        uploader.step()
        attempts.append((clock.seconds, target.attempts))
        clock.seconds += 1
    # 1 + 2 + 4 + 8 + 16 + 32 seconds, then every 60: one camera at a time, not ten
    assert target.attempts == 7 + (600 - 63 - 1) // 60
    assert gateway.objects() == {}
    target.is_back = True
    clock.seconds += 60
    while gateway.spooled():
        uploader.step()
        clock.seconds += 1
    assert all(gateway.events(f"C{c}") == [*range(c, 60, 10)] for c in range(10))


def test_a_camera_that_the_target_refuses_holds_up_no_other(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    for n in range(90):
        gateway.spool.append({"n": n}, camera_id=f"C{n % 3}")
    target, clock = AwayTarget(gateway.landing, refuses="camera_id=C1/"), Clock()
    target.is_back = True
    uploader = gateway.uploader(target, monotonic=clock, chance=lambda: 1.0)
    uploader.seal_all()
    for _ in range(120):
        uploader.step()
        clock.seconds += 1
    assert gateway.events("C0") == [*range(0, 90, 3)]
    assert gateway.events("C2") == [*range(2, 90, 3)]
    assert gateway.events("C1") == []
    assert target.attempts < 20 + 15  # the delay of the refused camera keeps doubling


def test_an_object_is_sealed_by_its_age_on_the_monotonic_clock(tmp_path: Path) -> None:
    gateway, clock = Gateway(tmp_path, object_max_age_seconds=60), Clock()
    uploader = gateway.uploader(monotonic=clock)
    gateway.spool.append({"n": 1})
    uploader.step()
    clock.seconds = 59
    gateway.spool.append({"n": 2})
    uploader.step()
    assert gateway.objects() == {}
    clock.seconds = 60
    uploader.step()
    assert gateway.events() == [1, 2]


def test_while_an_object_waits_the_open_one_grows_until_it_is_worth_a_request(tmp_path: Path) -> None:
    gateway, clock = Gateway(tmp_path, object_max_age_seconds=60, object_max_bytes=1600), Clock()
    target = AwayTarget(gateway.landing)
    uploader = gateway.uploader(target, monotonic=clock, chance=lambda: 1.0)
    for n in range(100):
        gateway.spool.append({"n": n})
        uploader.step()
        clock.seconds += 61
    assert len(gateway.spooled()) <= 12  # of 100 bytes each; the first one and the open one have less
    target.is_back = True
    for _ in range(10):
        uploader.step()
        clock.seconds += 301
    assert gateway.events() == [*range(100)]  # all earlier objects are uploaded, so the open one waits no longer
    assert gateway.spooled() == []


def test_a_spool_has_one_uploader_at_a_time(gateway: Gateway) -> None:
    stop, is_running = threading.Event(), threading.Event()

    class WatchedTarget:
        def put(self, key: str, path: Path) -> None:  # noqa: ARG002
            is_running.set()

    gateway.spool.append({"n": 1})
    first = threading.Thread(target=gateway.uploader(WatchedTarget()).run, args=(stop,))
    first.start()
    try:
        assert is_running.wait(20)
        assert read_status(gateway.spool, NOW)["is_uploader_running"]
        with pytest.raises(UploaderBusyError, match="Another uploader works on the spool"):
            gateway.upload()
    finally:
        stop.set()
        first.join(20)
    assert not first.is_alive()
    assert not read_status(gateway.spool, NOW)["is_uploader_running"]
    assert gateway.upload()


def test_a_single_round_gives_up_on_a_target_that_is_away(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    for n in range(8):
        gateway.spool.append({"n": n}, camera_id=f"C{n}")
    target = AwayTarget(gateway.landing)
    assert not gateway.uploader(target).run_once()
    assert target.attempts == 3
    assert gateway.upload()
    assert len(gateway.objects()) == 8


def test_an_object_that_is_dropped_while_it_waits_is_passed_over(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    gateway.spool.append_many([{"n": n} for n in range(9)])
    camera = gateway.spool.cameras()[0]

    class DroppingTarget(FolderTarget):
        def put(self, key: str, path: Path) -> None:
            super().put(key, path)
            for name in camera.objects()[1:2]:
                camera.path(name).unlink()

    gateway.uploader(DroppingTarget(gateway.landing)).run_once()
    assert gateway.events() == [0, 1, 2, 6, 7, 8]
    assert gateway.spooled() == []
