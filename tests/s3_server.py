"""A real S3 server on loopback (SeaweedFS) for tests: started in a temporary folder, ended with the session."""

from __future__ import annotations

import fcntl
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore
from obstore.store import S3Store

ACCESS_KEY, SECRET_KEY = "plant-camera", "only-for-tests"
BUCKET = "plant"
START_SECONDS = 60
CONFIGURATION = json.dumps(
    {
        "identities": [
            {
                "name": "plant",
                "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                "actions": ["Admin", "Read", "Write", "List"],
            }
        ]
    }
)


@contextmanager
def s3_server(folder: Path, configuration: str = CONFIGURATION) -> Iterator[dict[str, str]]:
    """Start the server with one empty bucket, and return the `AWS_*` variables for it.

    They hold the name and key of an identity that its configuration allows to write.
    """
    with _one_at_a_time():
        process, environment = _start(folder, configuration)
        try:
            _make_bucket(environment)
        except BaseException:
            process.kill()
            raise
    try:
        yield environment
    finally:
        process.kill()  # an orderly end takes half a minute and saves nothing of use
        process.wait()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Start one server at a time: two would find the same ports free, and one of them would fail."""
    with (Path(tempfile.gettempdir()) / "floorhouse-s3-server.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start(folder: Path, configuration: str) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    s3, master, volume, filer = _free_ports(4)
    config = folder / "s3.json"
    config.write_text(configuration)
    weed = Path(sys.executable).with_name("weed")
    ports = [f"-s3.port={s3}", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"]
    # Each server listens for gRPC on its port + 10000, so the ports must be low enough.
    limits = ["-master.volumeSizeLimitMB=64", "-volume.max=8", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(
                    weed,
                    "server",
                    f"-dir={folder}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    "-s3",
                    f"-s3.config={config}",
                ),
                *ports,
                *limits,
            ],
            stdout=log,
            stderr=log,
        )
    environment = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}",
        "AWS_REGION": "us-east-1",
    }
    return process, environment


def _make_bucket(environment: dict[str, str]) -> None:
    """Wait until the server stores an object. The first object creates the bucket."""
    store = S3Store(
        BUCKET,
        endpoint=environment["AWS_ENDPOINT_URL"],
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            obstore.put(store, "started", b"yes")
            obstore.delete(store, "started")
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _free_ports(count: int) -> list[int]:
    ports: list[int] = []
    for port in range(18333, 28333, 7):
        if len(ports) == count:
            break
        if _is_free(port) and _is_free(port + 10000):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
