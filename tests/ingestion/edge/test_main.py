import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ingestion.edge.gateway import Gateway

ROOT = Path(__file__).parents[3]


def start(gateway: Gateway, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start `python -m ingestion.edge …` with the gateway's settings."""
    settings = gateway.settings
    given = {
        "TARGET_URL": settings.target_url,
        "SPOOL_DIR": str(settings.spool_dir),
        "SITE_ID": "north",
        "CAMERA_ID": "C1",
        "POLL_SECONDS": "0.02",
    } | variables
    return subprocess.Popen(
        [sys.executable, "-m", "ingestion.edge", *arguments],
        cwd=ROOT,
        env={**os.environ, **{f"FLOORHOUSE_EDGE_{name}": value for name, value in given.items()}},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(gateway: Gateway, *arguments: str, stdin: bytes = b"", **variables: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command that ends by itself."""
    process = start(gateway, *arguments, **variables)
    output, complaints = process.communicate(stdin, timeout=60)
    return process.returncode, output.decode(), complaints.decode()


def test_lines_of_standard_input_arrive_and_are_acknowledged_by_their_numbers(gateway: Gateway) -> None:
    stdin = b'\xef\xbb\xbf{"n":1}\r\n\n{"n":2}\n{"n":3}'
    status, output, complaints = run(gateway, "add", "--site", "south", "--camera", "C9", stdin=stdin)
    assert (status, output.split()[-1], complaints) == (0, "4", "")
    assert run(gateway, "run", "--once")[0] == 0
    ((key, content),) = gateway.objects().items()
    assert key.startswith("events/site_id=south/camera_id=C9/")
    assert content == b'{"n":1}\r\n{"n":2}\n{"n":3}\n'


def test_a_line_that_cannot_be_a_record_is_refused_by_its_number_and_the_others_go_on(gateway: Gateway) -> None:
    stdin = b'{"n":1}\n\0\n' + b"x" * 300 + b'\n{"n":2}\n'
    status, output, complaints = run(gateway, "add", stdin=stdin, OBJECT_MAX_BYTES="256")
    assert (status, output.split()[-1]) == (1, "4")
    assert complaints.splitlines() == [
        "line 2: A record has a zero byte in it, which no JSON text has.",
        "line 3: A record has more than 256 bytes.",
    ]
    gateway.upload()
    assert gateway.events() == [1, 2]


def test_a_slow_camera_is_acknowledged_line_by_line(gateway: Gateway) -> None:
    process = start(gateway, "add")
    assert process.stdin
    assert process.stdout
    try:
        for n in (1, 2, 3):
            process.stdin.write(b'{"n":%d}\n' % n)
            process.stdin.flush()
            assert process.stdout.readline() == b"%d\n" % n
    finally:
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_full_spool_is_status_75_after_the_number_of_the_last_line_that_is_safe(gateway: Gateway) -> None:
    stdin = b"".join(b'{"n":%d}\n' % n for n in range(1, 1000))
    variables = {"SPOOL_MAX_BYTES": "16384", "OBJECT_MAX_BYTES": "256"}
    status, output, complaints = run(gateway, "add", stdin=stdin, **variables)
    assert status == 75
    assert "is full" in complaints
    gateway.upload()
    assert gateway.events() == [*range(1, int(output.split()[-1]) + 1)]
    assert len(gateway.events()) > 50


def test_the_status_is_json(gateway: Gateway) -> None:
    run(gateway, "add", stdin=b'{"n":1}\n{"n":2}\n')
    status, output, _ = run(gateway, "status")
    assert status == 0
    assert json.loads(output)["backlog"]["events"] == 2


def test_the_status_of_a_spool_that_does_not_exist_makes_none(gateway: Gateway, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    status, _, complaints = run(gateway, "status", SPOOL_DIR=str(missing))
    assert (status, complaints.strip()) == (
        2,
        f"The spool {missing} does not exist; FLOORHOUSE_EDGE_SPOOL_DIR names it.",
    )
    assert not missing.exists()


def test_a_bad_setting_is_one_sentence_and_status_2(gateway: Gateway) -> None:
    status, _, complaints = run(gateway, "run", WHEN_FULL="panic")
    assert (status, complaints.strip()) == (
        2,
        "FLOORHOUSE_EDGE_WHEN_FULL is 'panic'; allowed: refuse or drop_oldest.",
    )


def test_a_single_round_that_leaves_something_is_status_1(gateway: Gateway) -> None:
    gateway.spool.append({"n": 1})
    (gateway.landing / "events").rmdir()
    status, _, complaints = run(gateway, "run", "--once")
    assert status == 1
    assert "has no folder events/" in complaints


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_seals_what_is_open_and_leaves_the_rest_for_next_time(gateway: Gateway, number: int) -> None:
    gateway.spool.append({"n": 1})
    process = start(gateway, "run", REPORT_SECONDS="0.02")
    try:
        deadline = time.monotonic() + 30
        while not gateway.objects() and time.monotonic() < deadline:
            time.sleep(0.02)
        gateway.spool.append({"n": 2})
        assert gateway.spooled()[-1].endswith(".open")
        process.send_signal(number)
        _, complaints = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert gateway.events() == [1]
    assert [name.rsplit("_", 1)[1] for name in gateway.spooled()] == ["e1.jsonl"]
    assert b"backlog 1 objects, 1 events, 8 bytes" in complaints


def test_an_id_that_cannot_be_part_of_a_key_is_status_2_because_no_later_try_helps(gateway: Gateway) -> None:
    status, output, complaints = run(gateway, "add", "--camera", "a/b", stdin=b'{"n":1}\n')
    assert (status, output) == (2, "")
    assert complaints.strip() == "camera_id is 'a/b'; allowed: a text without slashes and control characters."


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGPIPE], ids=["Ctrl-C", "nobody reads"])
def test_adding_ends_in_silence_when_it_is_interrupted_or_nobody_reads_its_acknowledgements(
    gateway: Gateway, number: int
) -> None:
    with start(gateway, "add") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b'{"n":1}\n')
        process.stdin.flush()
        assert process.stdout.readline() == b"1\n"
        if number == signal.SIGPIPE:
            process.stdout.close()
            process.stdin.write(b'{"n":2}\n')
            process.stdin.flush()
        else:
            process.send_signal(number)
        assert process.stderr.read() == b""
    assert process.returncode == -number
    gateway.upload()
    assert gateway.events()[0] == 1
