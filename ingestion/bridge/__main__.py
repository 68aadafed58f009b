"""The command line of the bridge, `floorhouse bridge run|status|retry-unmatched`, also `python -m ingestion.bridge`.

Exit status: 0 done; 1 messages still match no pattern; 2 a bad setting; 75 busy, or a failed disk: try again later.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

from ingestion.bridge.bridge import Bridge
from ingestion.bridge.errors import BridgeError
from ingestion.bridge.settings import BridgeSettings, read_bridge_settings
from ingestion.bridge.status import read_status
from ingestion.bridge.taking import take_again
from ingestion.bucket.credentials import use_shared_credentials
from ingestion.edge.errors import EdgeError
from ingestion.edge.settings import EdgeSettings
from ingestion.edge.spool import Spool, utc_now
from ingestion.edge.target import open_target
from ingestion.edge.uploader import Uploader
from ingestion.errors import BucketError, SettingsError
from ingestion.printable import escaped_output

EXIT_DONE, EXIT_LEFT, EXIT_BAD_SETTING, EXIT_LATER = 0, 1, 2, 75

_log = logging.getLogger("floorhouse.bridge")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    purpose = "Take the messages of an MQTT broker and bring them to the landing bucket."
    parser = argparse.ArgumentParser(prog="floorhouse bridge", description=purpose)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="take messages, and upload them if a target is set, until SIGTERM or Ctrl-C")
    commands.add_parser("status", help="print the state of the bridge and its spool as JSON")
    commands.add_parser("retry-unmatched", help="take the messages that matched no pattern under the patterns of now")
    options = parser.parse_args(arguments)

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    # A kill at any moment leaves a good state. So Ctrl-C ends a command at once, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.umask(os.umask(0o027) | 0o027)  # events name people: other users of this machine must not read the spool
    try:
        settings, edge = read_bridge_settings()
        if options.command == "status":
            return _status(settings, edge)
        settings.check(edge)
        return _run(settings, edge) if options.command == "run" else _retry(settings, edge)
    except (SettingsError, BucketError) as error:  # BucketError: of the file with the key pair
        print(error, file=sys.stderr)
        return EXIT_BAD_SETTING
    except (EdgeError, BridgeError) as error:
        print(error, file=sys.stderr)
        return EXIT_LATER


def _run(settings: BridgeSettings, edge: EdgeSettings) -> int:
    """Take, and upload in a thread of its own where a target is set. If one of the two ends, so does the other."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    spool = Spool(edge)
    bridge = Bridge(settings, spool)
    failures: list[BaseException] = []

    def upload(uploader: Uploader) -> None:
        try:
            uploader.run(stop)
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that started this one
            failures.append(error)
            stop.set()

    threads = []
    if edge.target_url:
        use_shared_credentials()
        uploader = Uploader(spool, open_target(edge.target_url, edge.request_timeout_seconds))
        threads.append(threading.Thread(target=upload, args=(uploader,), name="uploader"))
    else:
        _log.info("no target is set: another program uploads the spool %s", edge.spool_dir)
    for thread in threads:
        thread.start()
    try:
        bridge.run(stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for error in failures:
        raise error
    return EXIT_DONE


def _status(settings: BridgeSettings, edge: EdgeSettings) -> int:
    if not edge.spool_dir.is_dir():
        raise SettingsError(f"The spool {edge.spool_dir} does not exist; FLOORHOUSE_EDGE_SPOOL_DIR names it.")
    print(json.dumps(read_status(settings, Spool(edge), utc_now()), indent=2))
    return EXIT_DONE


def _retry(settings: BridgeSettings, edge: EdgeSettings) -> int:
    taken, left = take_again(Spool(edge), settings.patterns, utc_now)
    print(f"{taken} messages were taken; {left} match no pattern.")
    return EXIT_LEFT if left else EXIT_DONE


if __name__ == "__main__":
    with escaped_output():
        sys.exit(main())
