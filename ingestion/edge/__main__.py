"""The command line of the edge uploader, `python -m ingestion.edge run|status|add`.

Exit status: 0 done; 1 something is left or a line was refused; 2 a bad setting; 75 full, busy or a failed disk: try
again later.
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

from ingestion.edge.add import add_lines
from ingestion.edge.errors import EdgeError, RecordRefusedError
from ingestion.edge.settings import EdgeSettings, read_edge_settings
from ingestion.edge.spool import Spool, utc_now
from ingestion.edge.status import read_status
from ingestion.edge.target import open_target
from ingestion.edge.uploader import Uploader
from ingestion.errors import SettingsError
from ingestion.printable import escaped_output

EXIT_DONE, EXIT_LEFT, EXIT_BAD_SETTING, EXIT_LATER = 0, 1, 2, 75


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    purpose = "Keep a camera's events safe and bring them to the landing bucket."
    parser = argparse.ArgumentParser(prog="python -m ingestion.edge", description=purpose)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="upload until SIGTERM or Ctrl-C")
    run.add_argument("--once", action="store_true", help="try everything once, then end; status 1 if something is left")
    commands.add_parser("status", help="print the backlog as JSON")
    add = commands.add_parser("add", help="append JSON lines from standard input to the spool")
    add.add_argument("--site", metavar="ID", help="the lines' site_id, instead of FLOORHOUSE_EDGE_SITE_ID")
    add.add_argument("--camera", metavar="ID", help="the lines' camera_id, instead of FLOORHOUSE_EDGE_CAMERA_ID")
    options = parser.parse_args(arguments)

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    # A kill at any moment leaves a good state. So Ctrl-C ends a command at once, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.umask(os.umask(0o027) | 0o027)  # events name people: other users of this machine must not read the spool
    try:
        settings = read_edge_settings()
        if options.command == "run":
            return _run(settings, options.once)
        if options.command == "add":
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the reader of the acknowledgements is gone
            spool = Spool(settings)
            has_refused = add_lines(sys.stdin.buffer, sys.stdout, sys.stderr, spool, options.site, options.camera)
            return EXIT_LEFT if has_refused else EXIT_DONE
        return _status(settings)
    except (SettingsError, RecordRefusedError) as error:  # RecordRefusedError: of --site or --camera
        print(error, file=sys.stderr)
        return EXIT_BAD_SETTING
    except EdgeError as error:
        print(error, file=sys.stderr)
        return EXIT_LATER


def _run(settings: EdgeSettings, is_once: bool) -> int:
    stop = threading.Event()
    if not is_once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    target = open_target(settings.require_target(), settings.request_timeout_seconds)
    uploader = Uploader(Spool(settings), target)
    if is_once:
        return EXIT_DONE if uploader.run_once() else EXIT_LEFT
    uploader.run(stop)
    return EXIT_DONE


def _status(settings: EdgeSettings) -> int:
    if not settings.spool_dir.is_dir():
        raise SettingsError(f"The spool {settings.spool_dir} does not exist; FLOORHOUSE_EDGE_SPOOL_DIR names it.")
    print(json.dumps(read_status(Spool(settings), utc_now()), indent=2))
    return EXIT_DONE


if __name__ == "__main__":
    with escaped_output():
        sys.exit(main())
