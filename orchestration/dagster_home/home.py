"""Dagster's own folder: its configuration, and the environment variables that name it. Knows no asset and no job."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.access import restrict
from ingestion.errors import WarehouseError
from ingestion.printable import printable
from ingestion.settings import Settings
from orchestration.dagster_home.damaged import set_aside_damaged
from orchestration.dagster_home.sqlite_files import tune_sqlite
from quality.alerts.repairs import note_repair

if TYPE_CHECKING:
    from dagster import DagsterInstance

# The name, in Dagster's records, of the job that lands, computes and publishes.
BATCH = "batch"

# Pool: one run at a time may write the warehouse, from its first step to its last. Runs: trainings and comparisons take
# hours; however many wait, one slot stays free for the runs that write the warehouse. Logs: steps print nothing, and
# capturing their output would cost two processes a step; their messages are in Dagster's log.
DAGSTER_YAML = """\
# Written at every start; change orchestration/dagster_home/home.py instead.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    default_limit: 1
    granularity: run
  runs:
    max_concurrent_runs: 6
    tag_concurrency_limits:
      - {key: floorhouse/kind, value: training, limit: 4}
      - {key: floorhouse/kind, value: comparison, limit: 1}
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 180
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      success: 30
      failure: 90
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
python_logs:
  python_log_level: INFO
"""
_EVENT_LOG = """\
event_log_storage:
  module: orchestration.dagster_home.event_log
  class: EventLog
  config:
    base_dir: {folder}
"""


def prepare_home(settings: Settings, log: Callable[[str], None] = print) -> Path:
    """Create the folder with its configuration, and set the environment variables by which Dagster finds it.

    Damaged records are moved away, and a message goes to `log` and to the alerts.

    Raises:
        WarehouseError: the data folder cannot be written.
    """
    home = settings.dagster_home
    configuration = home / "dagster.yaml"
    # JSON is YAML, so a folder's name may hold any character
    wanted = DAGSTER_YAML + _EVENT_LOG.format(folder=json.dumps(str(home.absolute() / "history/runs")))
    restrict(settings)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not configuration.is_file() or configuration.read_text(encoding="utf-8") != wanted:
            arriving = home / f".dagster.yaml.{os.getpid()}"
            arriving.write_text(wanted, encoding="utf-8")
            arriving.replace(configuration)
    except OSError as error:
        raise WarehouseError(f"The data folder {settings.data_dir} cannot be written: {error.strerror}.") from error
    if sentence := set_aside_damaged(home):
        log(printable(sentence))
        note_repair(settings, sentence, datetime.now(UTC))
    os.environ["DAGSTER_HOME"] = str(home)
    # Dagster then hands the events that it makes together to the log together (event_log.py).
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    # A batch that is started from here must use the same plant, whatever its working directory is.
    os.environ["FLOORHOUSE_DATA_DIR"] = str(settings.data_dir)
    return home


@contextmanager
def open_instance(home: Path) -> Iterator[DagsterInstance]:
    """Dagster's records of runs and events, kept in `home`."""
    from dagster import DagsterInstance

    tune_sqlite()
    # Two processes that both find an empty folder would both create the tables, and one would fail.
    with open(home / ".opening.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        instance = DagsterInstance.from_config(str(home))
    with instance:
        yield instance
