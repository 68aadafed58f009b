"""`/health` and `/metrics` of a real report server, for a healthy plant, a stopped one and a new one."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import duckdb
import pytest

from ingestion.settings import Settings
from quality.alerts.batches import note_finish, note_stop
from reports.serve import SiteServer, open_server

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SiteServer]:
    """The server of a plant with a site and without a published version."""
    settings = Settings(data_dir=tmp_path)
    settings.site_path.mkdir()
    (settings.site_path / "index.html").write_text("<html>")
    with open_server(settings.site_path, port=0, plant=settings) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(server: SiteServer, path: str) -> tuple[int, str, str]:
    """The status, the content type and the text."""
    try:
        with urllib.request.urlopen(f"{server.address}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def figures(text: str) -> dict[str, float]:
    """The figures that Prometheus would read. Help and type precede each figure."""
    lines = text.splitlines()
    assert [line.split()[:2] for line in lines[0::3]] == [["#", "HELP"]] * (len(lines) // 3)
    assert {line.split()[3] for line in lines[1::3]} == {"gauge"}
    assert [line.split()[2] for line in lines[1::3]] == [
        line.partition(" ")[0].partition("{")[0] for line in lines[2::3]
    ]
    return {line.rpartition(" ")[0].removeprefix("floorhouse_"): float(line.rpartition(" ")[2]) for line in lines[2::3]}


def test_health_and_metrics_follow_the_plant(server: SiteServer, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert ask(server, "health")[::2] == (503, "Nothing is published yet.\n")
    assert "published_timestamp_seconds" not in figures(ask(server, "metrics")[2])

    version = tmp_path / f"{int(NOW.timestamp()) * 10**9:020d}-build"
    version.mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select unnest(['open', 'open', 'closed']) as status) to '{version}/incidents.parquet'"
        )
        connection.execute(f"copy (select unnest([3, 4]) as rejected) to '{version}/landed_objects.parquet'")
    settings.published_path.symlink_to(version)
    assert ask(server, "health") == (200, "text/plain; charset=utf-8", "Batches go on.\n")
    status, kind, text = ask(server, "metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = figures(text)
    assert found["disk_size_bytes"] >= found["disk_free_bytes"] > 0
    wanted = ("batches_stopped", "incidents_open", "records_rejected", "published_timestamp_seconds")
    assert [found[name] for name in wanted] == [0, 2, 7, NOW.timestamp()]
    assert any(name.startswith('info{floorhouse="') for name in found)

    note_stop(settings, "The disk is full.", NOW)
    assert ask(server, "health")[::2] == (503, "No batch has finished lately: The disk is full.\n")
    assert figures(ask(server, "metrics")[2])["batches_stopped"] == 1
    note_finish(settings, NOW)
    assert ask(server, "health")[0] == 200
