"""The data of the site: its tables and parts, the prepared answers, what is rewritten, and the state after a kill."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports import data
from reports.data import TABLES_FOLDER, publish_data, table_files
from reports.prepared_answers import QUERIES_FOLDER, page_names, parameters_of
from tests.reports.published_sample import ODD_WORKER, publish_sample, read_rows

TABLES = {select.stem for select in TABLES_FOLDER.glob("*.sql")}


def _publish(settings: Settings) -> data.DataReport:
    return publish_data(settings.published_path, settings.site_path / "data")


def _manifest(settings: Settings) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((settings.site_path / "data" / "manifest.json").read_text())
    return manifest


def _files(settings: Settings) -> set[Path]:
    manifest, folder = _manifest(settings), settings.site_path / "data"
    files = {folder / page["key"] / f"{name}.json" for name, page in manifest["pages"].items()}
    for name, table in manifest["tables"].items():
        files |= {folder / key / f"{name}.parquet" for key in table["parts"].values()}
    return files


def _answers(settings: Settings, page: str) -> dict[str, Any]:
    key = _manifest(settings)["pages"][page]["key"]
    answers: dict[str, Any] = json.loads((settings.site_path / "data" / key / f"{page}.json").read_text())
    return answers


def test_the_manifest_names_every_table_and_page_and_all_their_files_exist(settings: Settings) -> None:
    report = _publish(settings)
    manifest = _manifest(settings)
    assert (set(manifest["tables"]), sorted(manifest["pages"])) == (TABLES, page_names())
    assert all(file.is_file() for file in _files(settings))
    assert report.bytes_written > sum(file.stat().st_size for file in _files(settings))


def test_a_second_publish_of_the_same_marts_writes_nothing(settings: Settings) -> None:
    _publish(settings)
    before = {file: file.stat().st_mtime_ns for file in _files(settings)}
    assert _publish(settings) == data.DataReport(bytes_written=0, files=0)
    assert {file: file.stat().st_mtime_ns for file in _files(settings)} == before


def test_rows_of_a_new_date_leave_the_files_of_other_dates_alone(settings: Settings) -> None:
    publish_sample(settings, days=40)
    _publish(settings)
    before = _files(settings)
    newer = publish_sample(settings, days=40)
    longer = {"worker_shifts": "active_seconds + 1", "state_intervals": "ended_at + interval 1 second"}
    for mart, changed in longer.items():
        column = changed.split()[0]
        replaced = f"if(shift_date = '2026-02-28', {changed}, {column}) as {column}"
        rows = f"select * replace ({replaced}) from '{newer}/{mart}.parquet'"
        duckdb.connect().execute(f"copy ({rows}) to '{newer}/changed' (format parquet)")
        os.replace(newer / "changed", newer / f"{mart}.parquet")
    _publish(settings)
    written = sorted(file.stem for file in _files(settings) - before if file.suffix == ".parquet")
    assert written == [*["intervals"] * 4, "worker_shifts"]  # two shifts of two sites, one month


def test_one_shift_of_one_site_is_one_file_of_intervals(settings: Settings) -> None:
    _publish(settings)
    parts = _manifest(settings)["tables"]["intervals"]["parts"]
    key = parts["north/2026-02-28/day"]
    rows = read_rows(
        "select distinct site_id, shift_date::varchar, shift_id "
        f"from '{settings.site_path / 'data' / key / 'intervals.parquet'}'"
    )
    assert rows == [("north", "2026-02-28", "day")]


def test_details_older_than_31_shift_dates_are_left_out(settings: Settings) -> None:
    publish_sample(settings, days=40)
    _publish(settings)
    tables = _manifest(settings)["tables"]
    assert len(tables["station_hours"]["parts"]) == 31 + 1
    assert min(name for name in tables["station_hours"]["parts"] if name) == "2026-01-29"
    assert set(tables["worker_shifts"]["parts"]) == {"", "2026-01", "2026-02"}


def test_the_files_a_reader_still_holds_stay_for_one_more_publish(settings: Settings) -> None:
    _publish(settings)
    first = _files(settings)
    publish_sample(settings, days=2)
    _publish(settings)
    second = _files(settings)
    assert all(file.is_file() for file in first | second)
    publish_sample(settings, days=1)
    _publish(settings)
    assert all(file.is_file() for file in second | _files(settings))
    gone = first - second - _files(settings)
    assert gone
    assert not any(file.exists() for file in gone)


def test_a_publish_that_is_killed_leaves_the_old_manifest_working_and_the_next_one_repairs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(settings)
    before = _files(settings)
    publish_sample(settings, days=2)
    arrived: list[Path] = []

    def die_after_three(self: data._Folder, key: str, arriving: Path) -> None:
        if len(arrived) == 3:
            raise KeyboardInterrupt
        arrived.append(arriving)
        arrive(self, key, arriving)

    arrive = data._Folder.arrive
    monkeypatch.setattr(data._Folder, "arrive", die_after_three)
    with pytest.raises(KeyboardInterrupt):
        _publish(settings)
    assert _files(settings) == before
    assert all(file.is_file() for file in before)
    monkeypatch.undo()
    _publish(settings)
    assert _files(settings) != before
    assert not list((settings.site_path / "data").glob(".*.new"))
    assert all(file.is_file() for file in _files(settings))


def test_a_plant_without_any_data_has_every_table_with_its_columns(settings: Settings) -> None:
    _publish(settings)
    full = {table: _columns(settings, table) for table in TABLES}
    publish_sample(settings, is_empty=True)
    _publish(settings)
    assert {table: _columns(settings, table) for table in TABLES} == full
    assert _manifest(settings)["frame"]["sites"]["rows"] == []


def test_marts_that_nothing_has_made_yet_stand_for_empty_ones(settings: Settings) -> None:
    _publish(settings)
    assert _answers(settings, "models")["incidents"]["rows"]
    assert _answers(settings, "models")["requests"]["rows"] == []
    (settings.published_path / "worker_shifts.parquet").unlink()  # a plant without figures about persons
    _publish(settings)
    published = _manifest(settings)["frame"]["published"]
    assert dict(zip(published["columns"], published["rows"][0], strict=True))["has_people"] is False
    assert _answers(settings, "workers")["workers"]["rows"] == []
    totals = _answers(settings, "plant")["totals"]
    assert dict(zip(totals["columns"], totals["rows"][0], strict=True))["utilization"] > 0


def test_a_mart_in_a_folder_of_files_is_read_as_one(settings: Settings) -> None:
    _publish(settings)
    before = _manifest(settings)
    mart = settings.published_path.resolve() / "state_intervals.parquet"
    whole = mart.rename(mart.with_name("whole"))
    mart.mkdir()
    for state in ("working", "idle", "absent"):
        target = mart / f"{state}.parquet"
        duckdb.connect().execute(
            f"copy (from read_parquet('{whole}') where state = '{state}' order by all) to '{target}' (format parquet)"
        )
    whole.unlink()
    _publish(settings)
    after = _manifest(settings)
    assert after["tables"]["intervals"]["parts"] == before["tables"]["intervals"]["parts"]
    assert after["tables"]["intervals"]["made_of"] != before["tables"]["intervals"]["made_of"]


@pytest.mark.parametrize("page", page_names())
def test_the_first_answers_are_what_the_query_says_of_the_marts(settings: Settings, page: str) -> None:
    _publish(settings)
    entry = _manifest(settings)["pages"][page]
    answers = _answers(settings, page)
    queries = {file.stem: file.read_text() for file in (QUERIES_FOLDER / page).glob("*.sql")}
    assert set(answers) == set(queries)
    assert set(entry["values"]) == {name for sql in queries.values() for name in parameters_of(sql)}
    zipped = settings.site_path / "data" / entry["key"] / f"{page}.json.gz"
    assert json.loads(gzip.decompress(zipped.read_bytes())) == answers


def test_intervals_add_up_to_the_seconds_of_the_mart(settings: Settings) -> None:
    _publish(settings)
    files = [str(file) for file in table_files(settings.site_path, "intervals")]
    sums = "site_id, worker_id, shift_date, sum({}) filter (where state = 'working') from {} group by all order by all"
    ours = read_rows("select " + sums.format("lasted_ms / 1000", f"read_parquet({files})"))
    marts = read_rows("select " + sums.format("seconds", f"'{settings.published_path}/state_intervals.parquet'"))
    assert ours
    assert ours == marts
    assert ODD_WORKER in {row[1] for row in ours}


def test_missing_and_broken_marts_are_named_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ReportError, match="no published marts"):
        publish_data(tmp_path / "none", settings.site_path / "data")
    (settings.published_path / "worker_shifts.parquet").write_text("no Parquet")
    with pytest.raises(ReportError, match="mart worker_shifts cannot be read"):
        _publish(settings)


def test_a_site_that_was_never_filled_is_named_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="holds no table worker_shifts"):
        table_files(tmp_path, "worker_shifts")


def _columns(settings: Settings, table: str) -> list[tuple[str, str]]:
    files = [str(file) for file in table_files(settings.site_path, table)]
    return [(name, kind) for name, kind, *_ in read_rows(f"describe from read_parquet({files})")]
