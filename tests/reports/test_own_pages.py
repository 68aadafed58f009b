"""A plant's own pages: Markdown with SQL and Evidence components, in the menu, offline, following every publish."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.browser import Visit
from reports.node import find_node
from reports.own_pages import take_out
from reports.serve import open_server
from reports.shell import build_shell, shell_for
from reports.site import is_site_current, own_folder, publish_site
from tests.reports.opened import IN_A_BROWSER, Met, meet
from tests.reports.published_sample import publish_sample, read_rows

pytestmark = IN_A_BROWSER

GOOD = """---
title: Output by site
---

```sql by_site
select site_id, sum(units) as units from site_shifts group by all order by all
```

<BigValue data={by_site} value=units/>
<BarChart data={by_site} x=site_id y=units/>
<DataTable data={by_site}/>
"""
PAGES = {
    "output.md": GOOD,
    "broken.md": "# Broken\n\n{#if open}\n",
    "OUTPUT.md": "# Same name but for capitals\n",
    "no name.md": "# Left out\n",
    # the report has a page of this name, and marts of these names are not among those that pages may read
    "asks.md": """# Models

Text beside it stays.

```sql nobody
select * from not_there
```

```sql somebody
select worker_id from worker_shifts
```

```sql nonsense
select units frm site_shifts
```

```sql fine
select count(*) as site_shifts_held from site_shifts
```

<DataTable data={nobody}/>
<BarChart data={somebody} x=worker_id y=units/>
<BigValue data={nonsense} value=units/>
<DataTable data={fine}/>
""",
}
_NOT_THERE = (
    "The query {} asks for {}, and no mart of that name is published for pages. "
    "“Ask” lists those that are; none of them names persons."
)
REFUSED = [
    _NOT_THERE.format("nobody", "not_there"),
    _NOT_THERE.format("somebody", "worker_shifts"),
    'The query nonsense cannot be answered: syntax error at or near "site_shifts".',
]
SHOWN = """
    const told = () => Array.from(document.querySelectorAll('[role=alert]'), (one) => one.innerText);
    const isWanted = () => document.querySelector('main table td') && told().length >= ALERTS;
    for (let turn = 0; turn < 200 && !isWanted(); turn++) await new Promise((go) => setTimeout(go, 100));
    await new Promise((go) => setTimeout(go, 500));
    const drawn = document.querySelectorAll('main .chart canvas, main .chart svg');
    return { charts: Array.from(drawn, (one) => one.clientHeight > 100), alerts: told() };
"""


def _units(settings: Settings) -> list[str]:
    file = f"{settings.published_path}/site_shifts.parquet"
    return [f"{units:,}" for _, units in read_rows(f"select site_id, sum(units) from '{file}' group by 1 order by 1")]


def _windows(settings: Settings) -> int:
    ((windows,),) = read_rows(f"select count(*) from '{settings.published_path}/site_shifts.parquet'")
    return int(windows)


def _opened(settings: Settings) -> list[Met]:
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pages = meet(
            server.address.rstrip("/"),
            Visit("/own/output/", script=SHOWN.replace("ALERTS", "0")),
            Visit("/own/broken/", name="broken"),
            Visit("/own/asks/", script=SHOWN.replace("ALERTS", str(len(REFUSED)))),
            Visit("/", name="plant"),
        )
        server.shutdown()
    return pages


def test_a_page_of_the_plants_own_is_in_the_menu_and_follows_every_publish(tmp_path: Path) -> None:
    try:
        find_node()
    except ReportError as error:
        pytest.skip(str(error))
    settings = Settings(data_dir=tmp_path / "data")
    pages = own_folder(settings)
    pages.mkdir(parents=True)
    for name, text in PAGES.items():
        (pages / name).write_text(text, encoding="utf-8")
    lines: list[str] = []
    shell = build_shell(lines.append, own=pages)
    if len(lines) > 0:  # it is built once a machine
        assert "the page no name.md is left out: a page's name has letters, digits, _ and - only" in lines
        assert "the page OUTPUT.md is left out: its address is that of output.md" in lines
        assert "the page broken.md cannot be shown: Block was left open" in lines
    publish_sample(settings)
    publish_site(settings)
    assert shell == shell_for(pages)[0]
    assert is_site_current(settings)

    for days in (3, 5):
        publish_sample(settings, days=days)
        publish_site(settings)
        own, broken, asks, plant = _opened(settings)
        for units in _units(settings):
            assert units in own["text"]
        assert own["answer"] == {"charts": [True], "alerts": []}
        assert own["title"] == "Output by site · Floorhouse"
        assert "The page broken.md cannot be shown: Block was left open" in broken["text"]
        assert sorted(asks["answer"]["alerts"]) == sorted(REFUSED)
        assert "Text beside it stays." in asks["text"]
        assert [str(_windows(settings))] in [row for table in asks["tables"] for row in table]
        for page in (own, broken, plant):
            assert page["failedRequests"] == page["outsideRequests"] == []
        for page in (broken, plant):  # Evidence's components write to the console while their data is on its way
            assert page["consoleErrors"] == []
        for page in (own, broken, asks, plant):
            assert any(link.endswith("/own/output/") for link in page["links"])

    (pages / "output.md").unlink()
    assert not is_site_current(settings)


def test_pages_that_stop_the_build_of_the_shell_each_say_so(tmp_path: Path) -> None:
    lines: list[str] = []
    take_out(tmp_path, ["own/output"], "building the report pages failed with status 1: {no} such module", lines.append)
    assert lines == [
        "the page output.md cannot be shown: building the report pages failed with status 1: {no} such module"
    ]
    text = (tmp_path / "src" / "pages" / "own" / "output" / "+page.md").read_text(encoding="utf-8")
    assert "The page output.md cannot be shown: building the report pages failed with status 1: &lbrace;no" in text
