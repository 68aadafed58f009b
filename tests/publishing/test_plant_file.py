"""`plant.duckdb`: views over the published marts for any client, described, open while batches go on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from orchestration.publish import follow_a_moved_folder, publish_build
from publishing.plant_file import FOLDER, NAME
from tests.plant import EVENT, Plant

# Another program that keeps the file open: it counts whenever it is asked to.
CLIENT = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(connection.execute("select count(*) from worker_shifts").fetchone()[0], flush=True)
"""


def counted(client: subprocess.Popen[str]) -> int:
    assert client.stdin
    assert client.stdout
    client.stdin.write("now\n")
    client.stdin.flush()
    return int(client.stdout.readline())


def opened(settings: Settings) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(settings.published_path / NAME), read_only=True)


def publish_another(plant: Plant, worker: str) -> None:
    """Publish what a batch would that finds one more worker."""
    with open_warehouse(plant.settings) as connection:
        connection.execute(
            "insert into marts.worker_shifts "
            f"select * replace ('{worker}' as worker_id) from marts.worker_shifts limit 1"
        )
    publish_build(plant.settings, anew=True)


def test_a_client_keeps_the_file_open_while_batches_publish_and_sees_what_they_publish(plant: Plant) -> None:
    plant.drop("events/a.jsonl", json.dumps(EVENT))
    plant.batch()
    file = plant.settings.published_path / NAME
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(file)], cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert counted(client) == 1
        publish_another(plant, "W2")
        publish_build(plant.settings)  # the version that the client opened is gone
        assert counted(client) == 2

    with opened(plant.settings) as connection:
        # each mart under its name with its rows, and a description of each and of every column
        marts = {path.stem for path in plant.settings.published_path.glob("*.parquet")}
        views = dict(connection.execute("select view_name, comment from duckdb_views() where not internal").fetchall())
        assert set(views) == marts | {"published_version", "published_marts"}
        assert all(text and text.startswith("One row") for text in views.values())
        undescribed = "select table_name, column_name from duckdb_columns() where not internal and comment is null"
        assert connection.execute(undescribed).fetchall() == []
        for mart in marts:
            rows = connection.execute(f"from {mart} order by all").fetchall()
            assert rows == connection.execute(f"from '{file.with_name(mart)}.parquet' order by all").fetchall()
        assert file.stat().st_size < 2_000_000

        # with the variable, all reads are of one version
        version, folder = connection.execute("from published_version").fetchone() or ("", "")
        assert Path(folder) == plant.settings.published_path.resolve()
        assert Path(folder).name == version
        connection.execute(f"set variable {FOLDER} = (select folder from published_version)")
        publish_another(plant, "W3")
        assert connection.execute("select count(*) from worker_shifts").fetchall() == [(2,)]
        connection.execute(f"reset variable {FOLDER}")
        assert connection.execute("select count(*) from worker_shifts").fetchall() == [(3,)]

    _moved(plant)


def _moved(plant: Plant) -> None:
    """A moved data folder is read by the variable at once, and by itself from the next batch on."""
    moved = plant.settings.data_dir.with_name("moved")
    shutil.move(plant.settings.data_dir, moved)
    settings = Settings(data_dir=moved)
    with opened(settings) as connection:
        with pytest.raises(duckdb.IOException):
            connection.execute("from worker_shifts")
        connection.execute(f"set variable {FOLDER} = '{settings.published_path}'")
        assert len(connection.execute("from worker_shifts").fetchall()) == 3
    follow_a_moved_folder(settings)
    with opened(settings) as connection:
        assert len(connection.execute("from worker_shifts").fetchall()) == 3
        assert connection.execute("select folder from published_version").fetchone() == (
            str(settings.published_path.resolve()),
        )
    before = (settings.published_path / NAME).stat().st_ino
    follow_a_moved_folder(settings)
    assert (settings.published_path / NAME).stat().st_ino == before
