"""Every page, opened in a real browser without network, shows the figures of the marts and asks nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.browser import WIDTHS, Visit, find_chromium, open_pages
from reports.node import find_node
from reports.serve import Answer, SiteServer, answer_for, open_server
from reports.shell import build_shell
from reports.site import publish_site
from tests.reports.published_sample import ODD_WORKER, UNREGISTERED_WORKER, publish_sample, read_rows

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(900),  # the first run on a machine also builds the pages
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine"),
]

ODD_WORKER_PATH = f"/workers/north/{quote(ODD_WORKER, safe='')}"
PAGES = {
    "plant": "/",
    "workers": "/workers",
    "worker": ODD_WORKER_PATH,
    "unregistered worker": f"/workers/south/{UNREGISTERED_WORKER}",
    "unknown worker": "/workers/north/nobody.1",
    "workstations": "/workstations",
    "workstation": "/workstations/north/S1",
    "unregistered workstation": "/workstations/north/S4",
    "data health": "/data-health",
    "definitions": "/definitions",
}
Met = dict[str, Any]


@pytest.fixture(scope="module")
def shell() -> Path:
    try:
        find_node()
    except ReportError as error:
        pytest.skip(str(error))
    return build_shell()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, shell: Path) -> Settings:
    settings = Settings(data_dir=tmp_path_factory.mktemp("plant"))
    publish_sample(settings, days=9)
    publish_site(settings, shell)
    return settings


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[SiteServer]:
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _open(server: SiteServer, visits: list[Visit], timezone: str = "UTC") -> list[Met]:
    return open_pages(server.address.rstrip("/"), visits, timezone=timezone)


@pytest.fixture(scope="module")
def met(server: SiteServer) -> dict[tuple[str, int], Met]:
    """What the browser met on every page at both widths."""
    visits = [Visit(path, width, name) for name, path in PAGES.items() for width in WIDTHS]
    return {(found["name"], found["width"]): found for found in _open(server, visits)}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_errors_and_without_asking_anybody_else(
    met: dict[tuple[str, int], Met], name: str, width: int
) -> None:
    page = met[name, width]
    assert "problem" not in page, page["problem"]
    assert page["consoleErrors"] == []
    assert page["failedRequests"] == []
    assert page["outsideRequests"] == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_states_its_question_its_freshness_and_how_to_read_it(
    met: dict[tuple[str, int], Met], name: str, width: int
) -> None:
    page = met[name, width]
    assert page["heading"].endswith("?") or name == "unknown worker"
    assert page["figures"]["published_at"].endswith("UTC")
    assert "latest activity" in page["text"]
    assert "records accepted" in page["text"]
    assert "How to read this" in page["text"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_screen_and_leads_nowhere_else(met: dict[tuple[str, int], Met], name: str, width: int) -> None:
    page = met[name, width]
    assert page["scrollWidth"] <= width
    assert {urlsplit(link).hostname for link in page["links"]} == {"127.0.0.1"}
    assert "Evidence" not in page["text"]


def _expected(settings: Settings, mart: str, columns: str, where: str = "true") -> tuple[Any, ...]:
    """Sums over the newest seven shift dates of each site, read from the mart itself."""
    row = read_rows(
        f"with newest as (select *, max(shift_date) over (partition by site_id) - shift_date as days_ago "
        f"from '{settings.published_path}/{mart}.parquet') select {columns} from newest where days_ago < 7 and {where}"
    )[0]
    assert None not in row
    return row


WORKER_SUMS = (
    "sum(active_seconds) / sum(present_seconds), sum(present_seconds) / sum(tracked_seconds), "
    "sum(active_seconds) / 3600, sum(units), 3600 * sum(units) / sum(active_seconds)"
)


def test_the_plant_page_shows_the_ratios_of_the_sums(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    utilization, attendance, hours, units, rate = _expected(settings, "worker_shifts", WORKER_SUMS)
    for width in WIDTHS:
        figures = met["plant", width]["figures"]
        assert figures["utilization"] == f"{utilization:.1%}".replace("%", " %")
        assert figures["attendance"] == f"{attendance:.1%}".replace("%", " %")
        assert figures["active_hours"] == f"{hours:,.1f} h"
        assert figures["units"] == f"{units:,}"
        assert figures["units_per_productive_hour"] == f"{rate:.1f}"


def test_the_shift_table_of_the_plant_page_is_the_mart_of_the_newest_shift(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    newest = read_rows(
        f"select shift_date::varchar, site_id, shift_id, worker_count::varchar, workstation_count::varchar, "
        f"printf('%.1f', productive_seconds / 3600), units::varchar, printf('%.1f', units_per_productive_hour), "
        f"printf('%.1f%%', 100 * average_utilization) from '{settings.published_path}/site_shifts.parquet' "
        f"order by shift_date desc, site_id, shift_id limit 1"
    )[0]
    assert list(newest) in _rows(met["plant", WIDTHS[0]])


def test_a_workers_page_opened_by_its_address_shows_that_worker(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    where = f"site_id = 'north' and worker_id = '{ODD_WORKER.replace(chr(39), chr(39) * 2)}'"
    utilization, attendance, hours, units, rate = _expected(settings, "worker_shifts", WORKER_SUMS, where)
    for width in WIDTHS:
        page = met["worker", width]
        assert page["heading"] == 'How did the time of Operator "7" o\'clock go?'
        assert page["figures"]["utilization"] == f"{utilization:.1%}".replace("%", " %")
        assert page["figures"]["attendance"] == f"{attendance:.1%}".replace("%", " %")
        assert page["figures"]["active_hours"] == f"{hours:,.1f} h"
        assert page["figures"]["units"] == f"{units:,}"
        assert page["figures"]["units_per_active_hour"] == f"{rate:.1f}"
        assert page["charts"] >= 3


def test_a_workstations_page_shows_that_workstation(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    columns = (
        "sum(working_seconds) / sum(occupancy_seconds), sum(occupancy_seconds) / 3600, sum(staffed_seconds) / 3600, "
        "sum(units), 3600 * sum(units) / sum(occupancy_seconds)"
    )
    where = "site_id = 'north' and workstation_id = 'S1'"
    utilization, occupancy, staffed, units, throughput = _expected(settings, "workstation_shifts", columns, where)
    figures = met["workstation", WIDTHS[0]]["figures"]
    assert figures["utilization"] == f"{utilization:.1%}".replace("%", " %")
    assert figures["occupancy_hours"] == f"{occupancy:,.1f} h"
    assert figures["staffed_hours"] == f"{staffed:,.1f} h"
    assert figures["units"] == f"{units:,}"
    assert figures["throughput_per_hour"] == f"{throughput:.1f}"


def test_workers_are_listed_by_name_and_never_by_a_figure(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    names = [row[0] for row in read_rows(
        f"select distinct worker_name, site_id from '{settings.published_path}/worker_shifts.parquet' order by all"
    )]  # fmt: skip
    table = next(table for table in met["workers", WIDTHS[0]]["tables"] if "Worker" in table[1])
    assert [row[0] for row in table[2:]] == names


def test_what_no_registry_lists_is_shown_as_not_registered(met: dict[tuple[str, int], Met]) -> None:
    assert "not registered" in met["unregistered worker", WIDTHS[0]]["text"]
    assert "not registered" in met["unregistered workstation", WIDTHS[0]]["text"]
    assert "not registered" not in met["workstation", WIDTHS[0]]["text"]
    unregistered = [row for row in _rows(met["data health", WIDTHS[0]]) if row[0] in {"worker", "workstation"}]
    assert {(row[1], row[2]) for row in unregistered} == {
        ("W99", "north"),
        ("W99", "south"),
        ("S4", "north"),
        ("S4", "south"),
    }


def test_data_health_counts_what_landed(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    objects, records, accepted, rejected = read_rows(
        f"select count(*), sum(records), sum(accepted), sum(rejected) "
        f"from '{settings.published_path}/landed_objects.parquet'"
    )[0]
    figures = met["data health", WIDTHS[0]]["figures"]
    assert figures["objects"] == f"{objects:,}"
    assert figures["records"] == f"{records:,}"
    assert figures["rejected"] == f"{rejected:,}"
    assert figures["accepted_share"] == f"{accepted / records:.1%}".replace("%", " %")
    assert "timestamp 'yesterday' is not ISO 8601" in met["data health", WIDTHS[0]]["text"]


def test_a_worker_nobody_knows_gets_words_and_no_figures(met: dict[tuple[str, int], Met]) -> None:
    page = met["unknown worker", WIDTHS[1]]
    assert page["heading"] == "Nothing is known of worker nobody.1"
    assert "utilization" not in page["figures"]


def test_choices_narrow_the_figures(settings: Settings, server: SiteServer) -> None:
    choices = {"site": "south", "shift": "evening", "period": "1"}
    (page,) = _open(server, [Visit("/", choices=choices)])
    columns = "sum(units), count(distinct worker_id), sum(active_seconds) / sum(present_seconds)"
    units, workers, utilization = _expected(
        settings, "worker_shifts", columns, "days_ago = 0 and site_id = 'south' and shift_id = 'evening'"
    )
    assert page["figures"]["units"] == f"{units:,}"
    assert page["figures"]["workers"] == f"{workers}"
    assert page["figures"]["utilization"] == f"{utilization:.1%}".replace("%", " %")


def test_a_page_that_stays_open_offers_the_figures_of_the_next_batch(
    tmp_path: Path, shell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings, days=9)
    publish_site(settings, shell)
    asked = 0

    def answer_and_publish(site: Path, target: str, headers: Mapping[str, str]) -> Answer:
        """The page asks for the manifest twice as it opens; a batch publishes before it looks again."""
        nonlocal asked
        asked += target == "/data/manifest.json"
        if target == "/data/manifest.json" and asked == 3:
            publish_sample(settings, workers=9, days=9)
            publish_site(settings, shell)
        return answer_for(site, target, headers)

    monkeypatch.setattr("reports.serve.answer_for", answer_and_publish)
    look_and_press = """
        document.dispatchEvent(new Event('visibilitychange'));
        while (!document.querySelector('.floor-new button')) await new Promise((go) => setTimeout(go, 50));
        document.querySelector('.floor-new button').click();
        while (document.querySelector('.floor-new button')) await new Promise((go) => setTimeout(go, 50));
    """
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (page,) = _open(server, [Visit("/", script=look_and_press)])
        server.shutdown()
    assert "problem" not in page, page["problem"]
    assert page["consoleErrors"] == page["failedRequests"] == []
    (units, workers) = _expected(settings, "worker_shifts", "sum(units), count(distinct site_id || worker_id)")
    assert page["figures"]["units"] == f"{units:,}"
    assert page["figures"]["workers"] == f"{workers}" == "18"


def test_dates_and_instants_are_the_same_for_readers_in_every_time_zone(
    server: SiteServer, met: dict[tuple[str, int], Met]
) -> None:
    visits = [Visit(PAGES[name], name=name) for name in ("plant", "worker", "data health")]
    for zone in ("America/Los_Angeles", "Pacific/Auckland"):
        for page in _open(server, visits, zone):
            assert page["text"] == met[page["name"], WIDTHS[0]]["text"]


def test_a_plant_without_any_data_shows_words_in_place_of_figures(tmp_path: Path, shell: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings, is_empty=True)
    publish_site(settings, shell)
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        visits = [Visit(PAGES[name], name=name) for name in ("plant", "workers", "workstations", "data health")]
        pages = _open(server, visits)
        server.shutdown()
    for page in pages:
        assert "problem" not in page, page["problem"]
        assert page["consoleErrors"] == []
        assert "No records have landed yet" in page["text"]
        assert "No activity yet" in page["text"]
        assert "NaN" not in page["text"]
    assert "No camera saw anybody at work in this selection." in pages[0]["text"]
    assert "Nothing has landed yet." in pages[3]["text"]


def _rows(page: Met) -> list[list[str]]:
    return [row for table in page["tables"] for row in table]
