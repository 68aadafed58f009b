"""`floorhouse run`: runs one batch over the bucket's content, through Dagster, in this process.

Exit status: 0 if the batch committed, even if a data check warned; 2 for a bad setting; 1 for anything else, with one
sentence on stderr and the traceback in a log file.
"""

from __future__ import annotations

import gc
import io
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.errors import FloorhouseError, SettingsError
from ingestion.printable import printable
from ingestion.settings import Settings, read_settings
from ingestion.warehouse import is_removed, removed
from orchestration.dagster_home.home import open_instance, prepare_home

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

SMALLEST_FREE_BYTES = 1_000_000
# Most Python objects of a batch live until it ends (modules, dbt's manifest). Garbage collection at Python's default of
# every 700 objects takes a tenth of a small batch's time and finds almost nothing.
OBJECTS_BETWEEN_COLLECTIONS = 100_000


def run_batch(with_site: bool, clock_is_right: bool = False, at: datetime | None = None) -> int:
    """Run one batch, up to the report or only up to the published marts, and return the exit status.

    `clock_is_right` means that a person vouches for the machine's clock. `at` replaces the clock's time for this batch,
    for a simulated plant.

    Raises:
        FloorhouseError: the settings or the data folder do not allow it.
    """
    started = time.monotonic()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    settings = read_settings()
    prepare_home(settings)
    log_path = settings.data_dir / "logs" / "batch.log"
    try:
        _say("batch     starting")
        with _stderr_into(log_path):
            result = _run(settings, with_site, clock_is_right, at)
        return _tell(result, settings, with_site, log_path, time.monotonic() - started)
    except FloorhouseError as error:
        return _stop(str(error))
    except KeyboardInterrupt:
        return _stop("The batch was interrupted; what it committed stays, the next one does the rest.", 130)
    except Exception as error:  # noqa: BLE001  # a person gets a sentence, the log gets the traceback
        _write_log(log_path, traceback.format_exc())
        if _is_disk_full(settings):
            return _stop(_disk_full(settings))
        if is_removed(settings):
            return _stop(removed(settings))
        reason = " ".join(str(error).split())[:300]
        return _stop(f"The batch stopped at an error of its own ({type(error).__name__}: {reason}); see {log_path}.")


def _run(settings: Settings, with_site: bool, clock_is_right: bool, at: datetime | None) -> ExecuteInProcessResult:
    # Imported here: a bad setting is reported at once, and Dagster and dbt take seconds to import.
    from orchestration.dagster_home.lost_runs import end_lost_runs
    from orchestration.dagster_home.old_runs import remove_old_runs
    from orchestration.definitions import BATCH, build_definitions
    from orchestration.progress import progress_logger, quiet_skips
    from orchestration.resources import Clock

    quiet_skips()
    clock = Clock(is_right=clock_is_right) if at is None else Clock(now=lambda: at, is_right=True)
    loggers = {"progress": progress_logger(_say)}
    definitions = build_definitions(site=with_site, settings=settings, loggers=loggers, clock=clock)
    with open_instance(settings.dagster_home) as instance:
        end_lost_runs(instance, settings.dagster_home)
        result = definitions.resolve_job_def(BATCH).execute_in_process(
            instance=instance, run_config={"loggers": {"progress": {"config": {}}}}, raise_on_error=False
        )
        remove_old_runs(instance, settings.dagster_home, time.time())
    return result


def _tell(result: ExecuteInProcessResult, settings: Settings, with_site: bool, log_path: Path, seconds: float) -> int:
    from orchestration.outcome import count_checks, failures, root_of, sentence_of, step_seconds
    from orchestration.summary import read_totals, summary_lines, time_line

    errors = failures(result.all_events)
    if not result.success:
        for error in errors:
            _write_log(log_path, f"run {result.run_id}\n{error.to_string()}")
        if _is_disk_full(settings):
            return _stop(_disk_full(settings))
        if is_removed(settings):
            return _stop(removed(settings))
        told = [sentence for error in errors if (sentence := sentence_of(error))]
        if told:
            return _stop(told[0])
        reason = root_of(errors[0]) if errors else "Dagster gave no reason"
        return _stop(f"The batch stopped at an error of its own ({reason}); see {log_path}.")
    new_objects = 0
    for event in result.asset_materializations_for_node("landing"):
        if event.asset_key.path[-1] == "landed_objects":
            new_objects = int(str(event.metadata["landed_rows"].value))
    report = f"{settings.site_path / 'index.html'}; make serve shows it" if with_site else "not built (--no-site)"
    checks = count_checks(result.get_asset_check_evaluations())
    for line in summary_lines(read_totals(settings.published_path), checks, new_objects, report, seconds):
        _say(line)
    _say(f"  {'time':<12} {time_line(seconds, step_seconds(result.all_events))}")
    _deliver_alerts(settings, log_path)
    return 0


def _deliver_alerts(settings: Settings, log_path: Path) -> None:
    """Deliver pending alerts, so that they are sent even if no daemon runs.

    A failed sink is logged; the batch has ended.
    """
    from quality.alerts.deliver import deliver
    from quality.alerts.settings import read_alert_settings

    try:
        delivery = deliver(settings, read_alert_settings(), time.time())
    except SettingsError as error:
        return _say(f"alerts    not sent: {error}")
    except Exception:  # noqa: BLE001  # what a batch committed does not depend on who hears of it
        _write_log(log_path, traceback.format_exc())
        return _say(f"alerts    not sent; see {log_path}")
    for problem in delivery.problems:
        _say(f"alerts    {delivery.waiting} waiting, tried again later: {problem}")
    if delivery.sent:
        _say(f"alerts    {delivery.sent} sent")
    return None


@contextmanager
def _stderr_into(log_path: Path) -> Iterator[None]:
    """Redirect what libraries write to stderr to the log, because a person sees one sentence there."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            yield
    finally:
        if said.getvalue():
            _write_log(log_path, said.getvalue())


def _is_disk_full(settings: Settings) -> bool:
    # On a full disk, each library raises a different error. The message must name the full disk.
    try:
        return shutil.disk_usage(settings.data_dir).free < SMALLEST_FREE_BYTES
    except OSError:  # the folder is gone
        return False


def _disk_full(settings: Settings) -> str:
    return (
        f"The disk of {settings.data_dir} is full; what was landed and published stays. "
        "Free some space and start the batch again."
    )


def _say(line: str) -> None:
    print(printable(line), flush=True)


def _stop(sentence: str, status: int = 1) -> int:
    print(printable(sentence), file=sys.stderr, flush=True)
    return status


def _write_log(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            lines = "\n".join(map(printable, text.rstrip().splitlines()))
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {lines}\n\n")
    except OSError as error:  # the sentence on stderr matters more than its details
        print(f"(no details: {path} cannot be written: {error.strerror})", flush=True)
