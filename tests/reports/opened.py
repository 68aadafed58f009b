"""Opens the pages of a published plant in a browser, for tests. Knows no page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.browser import Visit, find_chromium, open_pages
from reports.node import find_node
from reports.serve import open_server
from reports.shell import build_shell
from reports.site import publish_site

Met = dict[str, Any]

IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.timeout(900),  # the first run on a machine also builds the pages
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine"),
]

# Saves every table of a page and returns the files by name.
SAVE = """
    const saved = [], names = [];
    URL.createObjectURL = (blob) => (saved.push(blob), 'blob:none');
    HTMLAnchorElement.prototype.click = function () { names.push(this.download); };
    document.querySelectorAll('button[aria-label$="as CSV"]').forEach((button) => button.click());
    const files = {};
    for (const [at, blob] of saved.entries()) {
        const bytes = new Uint8Array(await blob.arrayBuffer());
        files[names[at]] = [Array.from(bytes.slice(0, 3)), new TextDecoder().decode(bytes)];
    }
    return files;
"""


def built_shell() -> Path:
    """The real shell, built if it does not exist. Without Node the test is skipped."""
    try:
        find_node()
    except ReportError as error:
        pytest.skip(str(error))
    return build_shell()


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address, without a final slash, of a server of the plant's site, which is up to date with its marts."""
    publish_site(settings, built_shell())
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.address.rstrip("/")
        server.shutdown()


def meet(address: str, *visits: Visit, timezone: str = "UTC") -> list[Met]:
    """The result of each visit. The test fails if a page cannot be opened."""
    pages = open_pages(address, visits, timezone=timezone)
    for page in pages:
        assert "problem" not in page, page["problem"]
    return pages


def table_of(page: Met, *heads: str) -> list[list[str]]:
    """The rows of the page's table whose first column heads are these."""
    return next(table[1:] for table in page["tables"] if table[0][: len(heads)] == list(heads))


def saved_file(page: Met, name: str) -> list[str]:
    """The lines of one of the files that a visit with the script SAVE saved."""
    start, text = page["answer"][name]
    assert start == [0xEF, 0xBB, 0xBF]
    return str(text).split("\r\n")
