"""A published plant, its site, and a server of it, for the tests of the report."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.settings import Settings
from reports.serve import SiteServer, open_server
from tests.reports.published_sample import publish_sample


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a plant whose marts are published and whose site is still empty."""
    settings = Settings(data_dir=tmp_path / "data")
    publish_sample(settings)
    return settings


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A built shell in miniature: a page, one hashed part, and their stamp."""
    return write_shell(tmp_path / "build", "one")


def write_shell(folder: Path, version: str) -> Path:
    """Write the files of a build, with `version` in every name and content."""
    part = f"_app/immutable/part.{version}.js"
    (folder / part).parent.mkdir(parents=True, exist_ok=True)
    (folder / part).write_text(f"// {version}")
    (folder / "index.html").write_text(f"<title>{version}</title>")
    (folder / "shell.json").write_text(f'{{"hash": "{version}", "files": ["{part}", "index.html"]}}')
    return folder


@pytest.fixture
def site_server(tmp_path: Path) -> Iterator[SiteServer]:
    """A server of a small folder of files on a free port of the loopback interface."""
    site = tmp_path / "site"
    for name, text in {
        "index.html": "<title>the shell</title>",
        "icon.svg": "<svg/>",
        "_app/immutable/part.1a.js": "let part = 1;" * 200,
        "_app/immutable/part.1a.js.gz": "compressed",
        "api/pages.json": "{}",
        "data/manifest.json": "{}",
        "data/0123456789abcdef/table.parquet": "0123456789",
        ".secret": "hidden",
    }.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    (tmp_path / "outside.txt").write_text("outside")
    (site / "link.txt").symlink_to(tmp_path / "outside.txt")
    with open_server(site, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
