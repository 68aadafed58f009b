"""Start the intake: `python -m ingestion.intake [--host --port]`. SIGTERM and Ctrl+C end it in order."""

from __future__ import annotations

import argparse
import sys

from starlette.responses import Response

from ingestion.access import restrict
from ingestion.bucket import Bucket, open_bucket, open_landing_bucket
from ingestion.errors import FloorhouseError
from ingestion.intake.answers import Problem
from ingestion.intake.app import build_app
from ingestion.intake.keys import ApiKeys, read_api_keys, read_reviewers
from ingestion.intake.labelling import Labelling
from ingestion.intake.queues import Queues
from ingestion.intake.service import Intake, refuse
from ingestion.intake.settings import IntakeSettings, read_intake_settings
from ingestion.intake.writing import LABELS_PREFIX
from ingestion.settings import Settings, read_settings
from serving.guard import Guard
from serving.known_hosts import ANY_INTERFACE, Objection, known_hosts
from serving.listening import CannotListenError, address_of, listen, make_server, stop_on_signals

KEPT = {"timeout_keep_alive": 30}  # seconds: a camera that posts now and then keeps its connection
STOP_SECONDS_BEYOND_LIMITS = 2  # for sending the answers


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes. Returns 0 after an orderly end, or 1, with one sentence, if it cannot start."""
    parser = argparse.ArgumentParser(prog="floorhouse intake", description="Take camera events by HTTP.")
    parser.add_argument("--host", help="the interface to listen on (default 127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, help="the port (default 8090; 0 for any that is free)")
    given = parser.parse_args(arguments)
    try:
        settings = read_intake_settings(host=given.host, port=given.port)
        no_keys = ApiKeys(is_open=settings.allow_without_key)
        keys = read_api_keys(settings.api_keys_file) if settings.api_keys_file else no_keys
        reviewers = read_reviewers(settings.reviewers_file) if settings.reviewers_file else {}
        plant = read_settings()
        restrict(plant)
        bucket = _open_bucket(plant)
        listener = listen(settings.host, settings.port)
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 1
    except CannotListenError as error:
        print(f"The intake cannot listen on {settings.host}, port {settings.port}: {error}.", file=sys.stderr)
        return 1
    with listener:
        intake = Intake(settings, keys, bucket, lambda: len(server.server_state.connections))
        labels = intake.new_writer(LABELS_PREFIX)
        labelling = Labelling(intake, reviewers, Queues(plant.published_path), labels, plant.media_url)
        known = known_hosts(settings.host, plant.allowed_hosts)
        server = make_server(
            Guard(build_app(intake, labelling, plant.max_record_bytes), known, refused), _longest(settings), **KEPT
        )
        stop_on_signals(lambda: setattr(server, "should_exit", True))
        address = address_of(listener, settings.host)
        if settings.api_keys_file or settings.allow_without_key:
            print(f"Taking events at {address}/api/events; {address}/docs says how. Ctrl+C stops.", flush=True)
        if reviewers:
            print(f"Reviewers label at {address}/label.", flush=True)
        if settings.host in ANY_INTERFACE and not plant.allowed_hosts:
            print("Cameras that call it by another name than localhost need FLOORHOUSE_ALLOWED_HOSTS.", flush=True)
        server.run(sockets=[listener])
    return 0


def refused(objection: Objection) -> Response:
    """The guard's refusal as an answer of the intake."""
    return refuse(Problem(objection.status, objection.reason, objection.detail))


def _longest(settings: IntakeSettings) -> float:
    """Seconds, more than any request may take: only idle connections, and requests that a fault of this program delays,
    are cut off.
    """
    waiting = settings.read_seconds + settings.write_seconds * 2 + settings.group_milliseconds / 1000
    return waiting + STOP_SECONDS_BEYOND_LIMITS


def _open_bucket(plant: Settings) -> Bucket:
    """The landing bucket. Its folders are made only in the data folder. A missing folder elsewhere may be a share that
    is mounted later: until then the answer is 503.
    """
    is_own = plant.landing_url.startswith(f"{plant.data_dir.as_uri()}/")
    return open_landing_bucket(plant) if is_own else open_bucket(plant.landing_url)


if __name__ == "__main__":
    sys.exit(main())
