"""The verbs of `floorhouse` and their help: arguments in, exit status out. Decides nothing else.

Exit status: 0 done; 1 it stopped, with one sentence on stderr; 2 a bad setting or argument; 130 interrupted. A verb
with a status of its own says so in its help. A verb imports what it needs when it runs, so that help is quick.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from ingestion.errors import FloorhouseError
from ingestion.printable import escaped_output
from ingestion.signals import restore_signals

STOPPED, INTERRUPTED = 1, 130

app = typer.Typer(
    help="From camera events of a factory floor to numbers that people can trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ONLY_IN_A_CLONE = ("scripts", "simulator")

# These programs also run alone (`python -m …`) and parse their own arguments, including --help.
ClockIsRight = Annotated[
    bool, typer.Option("--clock-is-right", help="Go on although the clock is far ahead of all data.")
]

PASSES_ARGUMENTS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit status."""
    restore_signals()
    try:
        with escaped_output():
            app(list(sys.argv[1:] if arguments is None else arguments), prog_name="floorhouse")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else _stop(str(end.code), STOPPED) if end.code else 0
    raise AssertionError("typer always ends with an exit status")


def _stop(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return status


def _verb(run: Callable[..., int]) -> Callable[..., None]:
    """A typer command from a function that returns an exit status or raises an error with a message."""

    @functools.wraps(run)
    def command(*arguments: object, **options: object) -> None:
        try:
            status = run(*arguments, **options)
        except FloorhouseError as error:
            status = _stop(str(error), error.exit_status)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ONLY_IN_A_CLONE:
                raise
            status = _stop(f"floorhouse {run.__name__} needs a clone of the project; this is an image.", STOPPED)
        except KeyboardInterrupt:
            status = INTERRUPTED
        raise typer.Exit(status)

    return command


def _show_version(is_asked: bool) -> None:
    if is_asked:
        try:
            print(f"floorhouse {version('floorhouse')}")
        except PackageNotFoundError:
            print("floorhouse, not installed: make setup does that")
        raise typer.Exit


@app.callback()
def _every_verb(
    show_version: Annotated[  # its callback does it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


@app.command()
@_verb
def run(
    site: Annotated[bool, typer.Option(help="Also bring the report up to date.")] = True,
    clock_is_right: ClockIsRight = False,
    clock: Annotated[str, typer.Option(hidden=True, help="What is now for this batch, of a simulated plant.")] = "",
) -> int:
    """Run one batch over whatever is in the landing bucket. Checks that warn do not change the exit status."""
    from orchestration.commands.run import run_batch

    at = datetime.fromisoformat(clock) if clock else None
    return run_batch(with_site=site, clock_is_right=clock_is_right, at=at)


@app.command(context_settings=PASSES_ARGUMENTS_ON, add_help_option=False)
@_verb
def dev(context: typer.Context) -> int:
    """Start the Dagster UI with its daemon, on this machine alone."""
    from orchestration.commands.dev import main as start

    return start(context.args)


@app.command(context_settings=PASSES_ARGUMENTS_ON, add_help_option=False)
@_verb
def web(context: typer.Context) -> int:
    """Start the Dagster UI without its daemon."""
    from orchestration.commands.web import main as start

    return start(context.args)


@app.command(context_settings=PASSES_ARGUMENTS_ON, add_help_option=False)
@_verb
def serve(context: typer.Context) -> int:
    """Serve the report."""
    from reports.serve import main as start

    start(context.args)
    return 0


@app.command(context_settings=PASSES_ARGUMENTS_ON, add_help_option=False)
@_verb
def intake(context: typer.Context) -> int:
    """Take events over HTTP."""
    from ingestion.intake.__main__ import main as start

    return start(context.args)


@app.command(context_settings=PASSES_ARGUMENTS_ON, add_help_option=False)
@_verb
def edge(context: typer.Context) -> int:
    """Bring a camera's events to the bucket: run, status, add. Status 75: try again later."""
    from ingestion.edge.__main__ import main as start

    return start(context.args)


@app.command(context_settings=PASSES_ARGUMENTS_ON, add_help_option=False)
@_verb
def bridge(context: typer.Context) -> int:
    """Take events from an MQTT broker: run, status, retry-unmatched. Status 75: try again later."""
    from ingestion.bridge.__main__ import main as start

    return start(context.args)


@app.command()
@_verb
def demo() -> int:
    """Simulate a plant and build its report: 30 days of two sites."""
    from scripts.demo import demonstrate

    return demonstrate()


@app.command()
@_verb
def live(
    speed: Annotated[
        float, typer.Option(min=1, max=3600, help="Above 1: start twelve hours ago and catch up this fast.")
    ] = 1,
    port: Annotated[int, typer.Option(help="The report's port.")] = 8080,
    dagster_port: Annotated[int, typer.Option(help="The port of Dagster's pages.")] = 3000,
) -> int:
    """Run a simulated plant in real time, with its daemon and its report, until Ctrl-C."""
    from scripts.live import live as run

    return run(speed, port, dagster_port)


@app.command()
@_verb
def explain(
    worker: Annotated[str, typer.Option(help="The worker's id.")] = "",
    date: Annotated[str, typer.Option(help="The shift date, YYYY-MM-DD.")] = "",
    site: Annotated[str, typer.Option(help="Needed where several sites have such a worker.")] = "",
    shift: Annotated[str, typer.Option(help="One of the date's shifts; default: all of them.")] = "",
) -> int:
    """Show how the numbers of a worker's shift came to be."""
    from scripts.explain import explain_shifts

    return explain_shifts(worker, date, site, shift)


@app.command()
@_verb
def replay(
    source: Annotated[
        list[str] | None,
        typer.Option(help="Also read the landed objects of this source again, under its mapping in force."),
    ] = None,
) -> int:
    """Try the rejected records again. The next batch computes what follows."""
    from ingestion.landing.replay import replay_all

    return replay_all(source or [])


@app.command(name="try-mapping")
@_verb
def try_mapping(
    file: Annotated[Path, typer.Argument(help="The mapping, a select over records.")],
    sample: Annotated[Path, typer.Argument(help="Records as the camera sends them; site_id= folders count.")],
) -> int:
    """Show, record by record, what a mapping makes of a sample. Nothing is stored."""
    from ingestion.mapping.trying import show_trial

    return show_trial(file, sample)


@app.command()
@_verb
def verify() -> int:
    """Compare the marts with a full rebuild. It works on a copy, so the plant goes on. Status 1 where they differ."""
    from orchestration.commands.verify import verify_plant

    return verify_plant()


@app.command()
@_verb
def rebuild() -> int:
    """Make a lost or damaged warehouse anew from the archive. A batch then runs over it."""
    from orchestration.commands.rebuild import rebuild_and_run

    return rebuild_and_run()


@app.command()
@_verb
def backup(
    folder: Annotated[Path, typer.Argument(help="Where backups are kept, on another disk or machine.")],
    keep: Annotated[int | None, typer.Option(min=1, help="Remove all but this many of the newest backups.")] = None,
    with_keys: Annotated[bool, typer.Option("--with-keys", help="Copy the pseudonym key too.")] = False,
    with_bucket: Annotated[bool, typer.Option("--with-bucket", help="Copy a local bucket's objects too.")] = False,
) -> int:
    """Copy the plant's state into a new folder. Batches go on; they only wait while the warehouse is copied."""
    from orchestration.commands.backup import back_up

    return back_up(folder, keep=keep, with_keys=with_keys, with_bucket=with_bucket)


@app.command()
@_verb
def restore(
    folder: Annotated[Path, typer.Argument(help="One backup, a folder that floorhouse backup has made.")],
) -> int:
    """Make a plant of a backup, in a data folder without a warehouse. A batch then runs over it."""
    from orchestration.commands.backup import restore_and_run

    return restore_and_run(folder)


@app.command()
@_verb
def erase(
    site: Annotated[str, typer.Option(help="The site's id.")],
    worker: Annotated[str, typer.Option(help="The worker's own id, as the cameras send it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only search.")] = False,
    also: Annotated[
        list[str] | None,
        typer.Option(help="A place that the search lists, whose mentions of the worker go too; all for every one."),
    ] = None,
) -> int:
    """Remove one worker from everything. A search then proves it: status 3 where something is left or unread."""
    from orchestration.commands.erase import erase_or_search

    return erase_or_search(site, worker, is_confirmed=yes, also=also or [])


@app.command()
@_verb
def retain(clock_is_right: ClockIsRight = False) -> int:
    """Delete what the retention settings no longer keep. Every older copy of it goes too."""
    from orchestration.commands.retain import apply_retention

    return apply_retention(clock_is_right)


AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@app.command()
@_verb
def settings(as_json: AsJson = False) -> int:
    """Show every setting in force, where it comes from and what it means. Secrets are not shown."""
    from orchestration.commands.settings import show_settings

    return show_settings(as_json)


@app.command()
@_verb
def doctor(as_json: AsJson = False) -> int:
    """Check settings, bucket, clock, disk, ports, rights and versions. Status 1 if something must be mended."""
    from orchestration.commands.doctor import examine

    return examine(as_json)


@app.command()
@_verb
def status(as_json: AsJson = False) -> int:
    """Tell how the plant is: batches, backlog, figures, incidents, disk. Status 1 if something needs attention."""
    from orchestration.commands.status import tell

    return tell(as_json)
