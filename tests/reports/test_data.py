"""The data of the site: which tables there are, what is written again, what a kill leaves, what stays for readers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports import data
from reports.data import TABLES_FOLDER, publish_data, table_file
from tests.reports.published_sample import publish_sample, read_rows


def _publish(settings: Settings) -> data.DataReport:
    return publish_data(settings.published_path, settings.site_path / "data")


def _files(settings: Settings) -> set[str]:
    manifest = settings.site_path / "data" / "manifest.json"
    return set(json.loads(manifest.read_text())["renderedFiles"]["plant"])


def test_the_manifest_names_every_table_and_all_its_files_exist(settings: Settings) -> None:
    report = _publish(settings)
    assert {Path(file).stem for file in _files(settings)} == {select.stem for select in TABLES_FOLDER.glob("*.sql")}
    sizes = [(settings.site_path / file).stat().st_size for file in _files(settings)]
    assert report.files == len(sizes) + 1
    assert report.bytes_written > sum(sizes)


def test_a_second_publish_of_the_same_marts_writes_nothing(settings: Settings) -> None:
    _publish(settings)
    before = {file: (settings.site_path / file).stat().st_mtime_ns for file in _files(settings)}
    assert _publish(settings) == data.DataReport(bytes_written=0, files=0)
    assert {file: (settings.site_path / file).stat().st_mtime_ns for file in _files(settings)} == before


def test_only_tables_whose_marts_changed_are_written_again(settings: Settings) -> None:
    for path in settings.published_path.resolve().iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    _publish(settings)
    before = _files(settings)
    newer = publish_sample(settings)
    rejected = newer / "rejected_records.parquet"
    rows = read_rows(f"from '{rejected}' limit 3")
    duckdb.connect().execute(f"copy (from '{rejected}' limit 3) to '{newer}/changed' (format parquet)")
    os.replace(newer / "changed", rejected)
    for path in newer.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert len(rows) == 3
    assert _publish(settings).files == 2  # the table and the manifest
    assert {Path(file).stem for file in _files(settings) - before} == {"rejections"}


def test_the_files_a_reader_still_holds_stay_for_one_more_publish(settings: Settings) -> None:
    _publish(settings)
    first = _files(settings)
    publish_sample(settings, days=2)
    _publish(settings)
    second = _files(settings)
    assert all((settings.site_path / file).is_file() for file in first | second)
    publish_sample(settings, days=1)
    _publish(settings)
    assert all((settings.site_path / file).is_file() for file in second | _files(settings))
    gone = first - second - _files(settings)
    assert gone
    assert not any((settings.site_path / file).exists() for file in gone)


def test_a_publish_that_is_killed_leaves_the_old_manifest_working_and_the_next_one_repairs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(settings)
    before = _files(settings)
    publish_sample(settings, days=2)
    written: list[Path] = []

    def die_after_three(connection: duckdb.DuckDBPyConnection, select: Path, file: Path) -> None:
        if len(written) == 3:
            half = file.parent.with_name(f".{file.parent.name}.new")
            half.mkdir()
            (half / file.name).write_bytes(b"PAR1 and no more")
            raise KeyboardInterrupt
        written.append(select)
        write_table(connection, select, file)

    write_table = data._write_table
    monkeypatch.setattr(data, "_write_table", die_after_three)
    with pytest.raises(KeyboardInterrupt):
        _publish(settings)
    assert _files(settings) == before
    assert all(read_rows(f"describe from '{settings.site_path / file}'") for file in before)
    monkeypatch.undo()
    _publish(settings)
    assert _files(settings) != before
    assert not list((settings.site_path / "data").glob(".*.new"))
    assert all(read_rows(f"describe from '{settings.site_path / file}'") for file in _files(settings))


def test_a_plant_without_any_data_has_every_table_with_its_columns(settings: Settings) -> None:
    _publish(settings)
    full = {Path(file).stem: _columns(settings.site_path / file) for file in _files(settings)}
    publish_sample(settings, is_empty=True)
    _publish(settings)
    assert {Path(file).stem: _columns(settings.site_path / file) for file in _files(settings)} == full
    assert _rows(settings, "publication")[0]["records"] == 0
    assert _rows(settings, "worker_shifts") == []


def test_hours_of_a_worker_add_up_to_the_seconds_of_the_mart(settings: Settings) -> None:
    _publish(settings)
    hours = read_rows(
        f"select site_id, worker_id, shift_date, sum(active_seconds), sum(idle_seconds), sum(absent_seconds) "
        f"from '{table_file(settings.site_path, 'worker_hours')}' group by all order by all"
    )
    shifts = read_rows(
        f"select site_id, worker_id, shift_date, sum(active_seconds), sum(idle_seconds), sum(absent_seconds) "
        f"from '{settings.published_path}/worker_shifts.parquet' group by all order by all"
    )
    assert hours
    assert hours == shifts


def test_days_ago_counts_back_from_each_sites_own_newest_shift_date(settings: Settings) -> None:
    _publish(settings)
    newest = read_rows(
        f"select site_id, min(days_ago), max(days_ago), max(shift_date) - min(shift_date) "
        f"from '{table_file(settings.site_path, 'site_shifts')}' group by site_id order by site_id"
    )
    assert [row[0] for row in newest] == ["north", "south"]
    assert all(first == 0 and last == span for _, first, last, span in newest)


def test_the_link_of_a_worker_is_safe_in_an_address(settings: Settings) -> None:
    _publish(settings)
    rows = _rows(settings, "worker_shifts")
    paths = {row["worker_path"] for row in rows if row["worker_id"] == "W'7/7 é%" and row["site_id"] == "north"}
    assert paths == {"/workers/north/W%277%2F7%20%C3%A9%25"}


def test_missing_marts_are_named_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ReportError, match="no published marts"):
        publish_data(tmp_path / "none", settings.site_path / "data")
    (settings.published_path / "worker_shifts.parquet").unlink()
    with pytest.raises(ReportError, match="table worker_shifts cannot be made of"):
        _publish(settings)


def _columns(file: Path) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind, *_ in read_rows(f"describe from '{file}'")]


def _rows(settings: Settings, table: str) -> list[dict[str, object]]:
    file = table_file(settings.site_path, table)
    names = [name for name, _ in _columns(file)]
    return [dict(zip(names, row, strict=True)) for row in read_rows(f"from '{file}'")]
