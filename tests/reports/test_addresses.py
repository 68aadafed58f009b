"""The compiled page becomes independent of its address, and an unexpected page is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingestion.errors import ReportError
from reports.addresses import free_of_place, page_addresses

BUILT = """<html><head>
		<link rel="icon" href="/icon.svg" type="image/svg+xml" />
		<link rel="modulepreload" href="/_app/immutable/entry/start.AB.js">
	</head><body><div><script>
				{
					__sveltekit_1a = {
						base: ""
					};
					const element = document.currentScript.parentElement;
					Promise.all([
						import("/_app/immutable/entry/start.AB.js"),
						import("/_app/immutable/entry/app.CD.js")
					]).then(([kit, app]) => { kit.start(app, element); });
				}
			</script></div></body></html>
"""


def test_no_address_of_the_page_begins_at_the_hosts_root() -> None:
    page = free_of_place(BUILT, ["", "hours", "workers/[site]/[worker]"])
    assert '"/' not in page
    assert "globalThis.__sveltekit_1a = { base: place };" in page
    assert "import(place + '/_app/immutable/entry/app.CD.js')" in page
    (pattern,) = re.findall(r'new RegExp\("(.*?)"\)', page)
    known = re.compile(pattern)
    assert all(known.match(address) for address in ("", "hours", "workers/north/W%2F1"))
    assert not any(known.match(address) for address in ("workers/north", "floorhouse", "hours/more"))


def test_a_page_of_another_compiler_is_refused() -> None:
    with pytest.raises(ReportError, match="not the one that reports/addresses"):
        free_of_place(BUILT.replace("base:", "path:"), [""])


def test_an_index_answers_at_its_folder(tmp_path: Path) -> None:
    for name in ("index.md", "hours.md", "workers/index.md", "workers/[site]/[worker].md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert page_addresses(tmp_path) == ["", "hours", "workers", "workers/[site]/[worker]"]
