"""`floorhouse doctor`: checks whether this machine is fit to run the plant. Each line is fine, or says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ingestion.errors import SettingsError
from ingestion.intake.settings import IntakeSettings
from ingestion.settings import Settings
from ingestion.settings_sources import gather, is_secret, read_model, settings_file
from orchestration.commands.settings import PARTS
from orchestration.health import machine, places
from orchestration.health.finding import Finding, look_at, show

WRONG = "MEND"
BUCKET_SECONDS = 30  # longer than the bucket's client tries
LOOK_SECONDS = 15


def examine(as_json: bool) -> int:
    """Check everything and print it. Returns 1 if something must be repaired, else 0."""
    return show(list(findings()), WRONG, as_json)


def findings() -> Iterator[Finding]:
    """All findings. If the plant's settings are wrong, only the findings that do not depend on them."""
    yield from _settings()
    try:
        settings = read_model(Settings)
    except SettingsError:
        yield from look_at("versions", machine.versions, LOOK_SECONDS)
        return
    yield from look_at("data folder", lambda: places.data_folder(settings), LOOK_SECONDS)
    yield from look_at("keys", lambda: places.keys(_secret_files()), LOOK_SECONDS)
    yield from look_at("bucket", lambda: places.bucket(settings), BUCKET_SECONDS)
    yield from look_at("clock", lambda: [places.clock(settings, datetime.now(UTC))], LOOK_SECONDS)
    yield from look_at("disk", lambda: machine.disk(settings.data_dir), LOOK_SECONDS)
    yield from look_at("ports", lambda: machine.ports(_ports()), LOOK_SECONDS)
    yield from look_at("versions", machine.versions, LOOK_SECONDS)
    yield from look_at("time zones", lambda: machine.time_zones(_zones(settings), datetime.now(UTC).year), LOOK_SECONDS)


def _settings() -> Iterator[Finding]:
    """One finding for each class of settings that is wrong, or one for all of them if all are right."""
    wrong = []
    for model in PARTS.values():
        try:
            read_model(model)
        except SettingsError as error:
            wrong.append(str(error))
    yield from (Finding("settings", sentence, is_fine=False) for sentence in dict.fromkeys(wrong))
    if not wrong:
        yield Finding("settings", "All have values that are allowed; floorhouse settings shows them.")


def _secret_files() -> list[Path]:
    """The files that hold secrets: those that settings name, and the settings file if it holds a secret itself."""
    files = []
    for model in PARTS.values():
        gathered = gather(model)
        files += [Path(str(one.value)) for name, one in gathered.items() if name.endswith("_file")]
        if any(one.source != "environment" and is_secret(model, name) for name, one in gathered.items()):
            files.append(settings_file())
    return list(dict.fromkeys(files))


def _ports() -> dict[str, int]:
    try:
        intake = {"intake": read_model(IntakeSettings).port}
    except SettingsError:
        intake = {}
    wanted = {"report": machine.REPORT_PORT, "Dagster": machine.DAGSTER_PORT, **intake}
    return {program: port for program, port in wanted.items() if port}  # 0 means any free port


def _zones(settings: Settings) -> Sequence[str]:
    """The time zones of the published sites; UTC if no site is published."""
    import duckdb

    sites = settings.published_path / "sites.parquet"
    if not sites.is_file():
        return ["UTC"]
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select distinct timezone from read_parquet($sites) order by 1", {"sites": str(sites)}
        ).fetchall()
    return [row[0] for row in rows] or ["UTC"]
