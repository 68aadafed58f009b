"""Every page, opened in a real browser without network, shows the figures of the marts and requests nothing from other
servers.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import duckdb
import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.browser import WIDTHS, Visit, find_chromium, open_pages
from reports.node import find_node
from reports.responses import Answer, answer_for
from reports.serve import SiteServer, open_server
from reports.shell import build_shell
from reports.site import publish_site
from tests.reports.published_sample import ODD_WORKER, UNREGISTERED_WORKER, publish_sample, read_rows

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(900),  # the first run on a machine also builds the pages
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine"),
]

OFFICE, PHONE = WIDTHS
PAGES = {
    "plant": "/",
    "hours": "/hours",
    "workstations": "/workstations",
    "workstation": "/workstations/north/S1",
    "workers": "/workers",
    "worker": f"/workers/north/{quote(ODD_WORKER, safe='')}",
    "timeline": "/timeline",
    "compare": "/compare",
    "models": "/models",
    "agreement": "/agreement",
    "data health": "/data-health",
    "definitions": "/definitions",
}
OTHERS = {
    "unknown worker": "/workers/north/nobody.1",
    "unregistered worker": f"/workers/south/{UNREGISTERED_WORKER}",
    "plant narrowed": "/?site=south&shift=evening&period=1",
    "hours of one station": "/hours/?site=south&date=2026-02-27&shift=evening&station=S1",
    "all dates": "/workstations/?period=all",
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
    """The results of one browser: every page at both widths, checked for accessibility, and single views."""
    heads = "return Array.from(document.querySelectorAll('section.table th button'), (head) => head.innerText.trim());"
    visits = [
        Visit(path, width, name, check=True, script=heads if name == "workers" else None)
        for name, path in PAGES.items()
        for width in WIDTHS
    ]
    visits += [Visit(path, name=name) for name, path in OTHERS.items()]
    return {(found["name"], found["width"]): found for found in _open(server, visits)}


ALL_VISITS = [*((name, width) for name in PAGES for width in WIDTHS), *((name, OFFICE) for name in OTHERS)]


@pytest.mark.parametrize(("name", "width"), ALL_VISITS)
def test_a_page_opens_without_errors_and_without_asking_anybody_else(
    met: dict[tuple[str, int], Met], name: str, width: int
) -> None:
    page = met[name, width]
    assert "problem" not in page, page["problem"]
    assert page["consoleErrors"] == page["failedRequests"] == page["outsideRequests"] == []


@pytest.mark.parametrize(("name", "width"), ALL_VISITS)
def test_a_page_states_its_question_its_freshness_and_fits_its_screen(
    met: dict[tuple[str, int], Met], name: str, width: int
) -> None:
    page = met[name, width]
    assert page["heading"].endswith("?")
    assert page["figures"]["published_at"][-4:] != NOTHING
    assert "latest activity" in page["text"]
    assert "records accepted" in page["text"]
    assert "How to read this" in page["text"] or name == "unknown worker"
    assert "NaN" not in page["text"]
    assert "undefined" not in page["text"]
    assert page["scrollWidth"] <= width
    assert {urlsplit(link).hostname for link in page["links"]} == {"127.0.0.1"}


NOTHING = "–"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_serious_keeps_people_from_reading_a_page(
    met: dict[tuple[str, int], Met], name: str, width: int
) -> None:
    assert [issue for issue in met[name, width]["issues"] if issue["impact"] in {"serious", "critical"}] == []


def _expected(settings: Settings, mart: str, columns: str, where: str = "shift_date > '2026-02-21'") -> tuple[Any, ...]:
    """Sums over the newest seven shift dates, or over the rows of `where`, computed from the mart itself."""
    row = read_rows(f"select {columns} from '{settings.published_path}/{mart}.parquet' where {where}")[0]
    assert None not in row
    return row


def _percent(share: float) -> str:
    return f"{share * 100:,.1f} %"


def _duration(seconds: float) -> str:
    minutes = math.floor(seconds / 60 + 0.5)  # a half is rounded up, as in the browser
    return f"{math.floor(minutes / 60 + 0.5):,} h" if minutes >= 6000 else f"{minutes // 60} h {minutes % 60:02d} min"


WORKER_SUMS = (
    "sum(active_seconds) / sum(present_seconds), sum(present_seconds) / sum(tracked_seconds), "
    "sum(observed_seconds) / sum(scheduled_seconds), sum(active_seconds), sum(units), "
    "3600 * sum(units) / sum(active_seconds)"
)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_plant_page_shows_the_ratios_of_the_sums(
    settings: Settings, met: dict[tuple[str, int], Met], width: int
) -> None:
    utilization, attendance, coverage, active, units, rate = _expected(settings, "worker_shifts", WORKER_SUMS)
    figures = met["plant", width]["figures"]
    assert figures["utilization"] == _percent(utilization)
    assert figures["attendance"] == _percent(attendance)
    assert figures["coverage"] == _percent(coverage)
    assert figures["active_seconds"] == _duration(active)
    assert figures["units"] == f"{units:,}"
    assert figures["units_per_productive_hour"] == f"{rate:.1f}"
    (attainment,) = _expected(
        settings,
        "station_targets",
        "sum(units) / sum(target_units_so_far)",
    )
    assert figures["attainment"] == _percent(attainment)


def test_the_plant_page_leads_with_the_last_complete_shift_by_the_sites_own_clock(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    where = "site_id = 'south' and shift_id = 'evening' and shift_date = '2026-02-28'"
    (units,) = _expected(settings, "site_shifts", "units", where)
    text = met["plant", OFFICE]["text"]
    south = text[text.index("South plant\n✓ Last complete shift") :]
    assert "evening, Sat, 28 Feb · 14:00–22:00" in south or "evening, Sat 28 Feb · 14:00–22:00" in south
    assert f"\n{units:,}\n" in south


def test_what_needs_attention_names_open_incidents_and_checks_that_did_not_pass(
    met: dict[tuple[str, int], Met],
) -> None:
    text = met["plant", OFFICE]["text"]
    attention = text[text.index("What needs attention") :]
    assert "Open incident" in attention
    assert "mean confidence 0.71 is under the floor 0.85" in attention
    assert "Check with a warning" in attention


def test_a_cameras_last_event_is_shown_and_is_no_alarm_that_the_checks_do_not_share(
    met: dict[tuple[str, int], Met],
) -> None:
    assert "Silent camera" not in met["plant", OFFICE]["text"]
    heard = {row[0]: row[2] for row in _table(met["data health", OFFICE], "Camera", "Site", "Last heard")}
    # 04:50 UTC minus five hours, by the local time of Chicago
    assert heard["south-cam3"] == "28 Feb 2026, 17:50 GMT-6"


def test_a_narrowed_view_opened_by_its_address_shows_what_the_query_says(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    where = "site_id = 'south' and shift_id = 'evening' and shift_date = '2026-02-28'"
    utilization, *_, units, _rate = _expected(settings, "worker_shifts", WORKER_SUMS, where)
    figures = met["plant narrowed", OFFICE]["figures"]
    assert (figures["units"], figures["utilization"]) == (f"{units:,}", _percent(utilization))


def test_choices_narrow_the_figures_and_are_kept_in_the_address(settings: Settings, server: SiteServer) -> None:
    (page,) = _open(server, [Visit("/", choices={"site": "south", "shift": "evening", "period": "1"})])
    where = "site_id = 'south' and shift_id = 'evening' and shift_date = '2026-02-28'"
    utilization, *_, units, _rate = _expected(settings, "worker_shifts", WORKER_SUMS, where)
    assert (page["figures"]["units"], page["figures"]["utilization"]) == (f"{units:,}", _percent(utilization))
    assert page["address"] == "/?site=south&shift=evening&period=1"
    assert page["consoleErrors"] == page["failedRequests"] == []


def test_the_board_shows_units_target_and_the_gap_of_the_shift(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    where = "site_id = 'south' and shift_id = 'evening' and shift_date = '2026-02-27' and workstation_id = 'S1'"
    units, target = _expected(settings, "hourly_output", "sum(units), sum(target_units)", where)
    page = met["hours of one station", OFFICE]
    assert page["figures"]["units"] == f"{units:,}"
    assert page["figures"]["target_units"] == f"{target:,.0f}"
    sign = "▼ −" if units < target else "▲ +"
    assert page["figures"]["gap"] == f"{sign}{abs(units - target):,.0f}"
    first = read_rows(
        f"select units from '{settings.published_path}/hourly_output.parquet' where {where} order by hour limit 1"
    )[0][0]
    row = next(row for table in page["tables"] for row in table if row[0] == "14:00")
    assert row[2] == f"{first:,}"


def test_a_workers_page_opened_by_its_address_shows_that_worker(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    where = (
        f"site_id = 'north' and shift_date > '2026-02-21' and worker_id = '{ODD_WORKER.replace(chr(39), chr(39) * 2)}'"
    )
    utilization, attendance, coverage, active, units, rate = _expected(settings, "worker_shifts", WORKER_SUMS, where)
    for width in WIDTHS:
        page = met["worker", width]
        assert page["figures"]["name"] == 'Operator "7" o\'clock'
        assert page["figures"]["utilization"] == _percent(utilization)
        assert page["figures"]["attendance"] == _percent(attendance)
        assert page["figures"]["coverage"] == _percent(coverage)
        assert page["figures"]["active_seconds"] == _duration(active)
        assert page["figures"]["units"] == f"{units:,}"
        assert page["figures"]["units_per_active_hour"] == f"{rate:.1f}"
        assert page["charts"] == 3


def test_a_workstations_page_shows_that_workstation_and_who_worked_there(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    columns = (
        "sum(working_seconds) / sum(occupancy_seconds), sum(occupancy_seconds), sum(staffed_seconds), "
        "sum(units), 3600 * sum(units) / sum(occupancy_seconds)"
    )
    where = "site_id = 'north' and workstation_id = 'S1' and shift_date > '2026-02-21'"
    utilization, occupancy, staffed, units, throughput = _expected(settings, "workstation_shifts", columns, where)
    figures = met["workstation", OFFICE]["figures"]
    assert figures["utilization"] == _percent(utilization)
    assert figures["occupancy_seconds"] == _duration(occupancy)
    assert figures["staffed_seconds"] == _duration(staffed)
    assert figures["units"] == f"{units:,}"
    assert figures["throughput_per_hour"] == f"{throughput:.1f}"


def test_the_timeline_gives_the_hours_of_every_person_of_the_shift(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    rows = read_rows(
        "select worker_id, sum(seconds) filter (where state = 'working') "
        f"from '{settings.published_path}/state_intervals.parquet' "
        "where site_id = 'north' and shift_date = '2026-02-28' and shift_id = 'evening' group by 1 order by 1"
    )
    table = next(table for table in met["timeline", OFFICE]["tables"] if table[0][:2] == ["Worker", "working"])
    assert sorted(row[1] for row in table[1:]) == sorted(_duration(seconds) for _, seconds in rows)


def test_workers_are_listed_by_name_and_never_by_a_figure(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    names = [row[0] for row in read_rows(
        f"select distinct worker_name, site_id from '{settings.published_path}/worker_shifts.parquet' order by all"
    )]  # fmt: skip
    page = met["workers", OFFICE]
    table = next(table for table in page["tables"] if table[0][0] == "Worker")
    assert [row[0] for row in table[1:]] == names
    assert page["answer"] == ["Worker", "Site", "Registry"]  # a figure is not a link


def test_all_dates_are_more_than_the_newest_seven(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    (units,) = _expected(settings, "workstation_shifts", "sum(units)", "true")
    assert met["all dates", OFFICE]["figures"]["units"] == f"{units:,}"
    assert met["all dates", OFFICE]["figures"]["units"] != met["workstations", OFFICE]["figures"]["units"]


def test_what_no_registry_lists_is_shown_as_not_registered(met: dict[tuple[str, int], Met]) -> None:
    assert "not registered" in met["unregistered worker", OFFICE]["text"]
    assert "not registered" not in met["workstation", OFFICE]["text"]
    rows = [row for table in met["data health", OFFICE]["tables"] for row in table]
    unregistered = {(row[1], row[2]) for row in rows if row[0] in {"worker", "workstation"}}
    sites = ("North plant", "South plant")
    assert unregistered == {(name, site) for name in ("W99", "S4") for site in sites}


def _table(page: Met, *heads: str) -> list[list[str]]:
    """The rows of the page's table whose first column heads are these."""
    return next(table[1:] for table in page["tables"] if table[0][: len(heads)] == list(heads))


def test_the_models_page_shows_what_people_labelled(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    rows = read_rows(
        "select model_version, event_type, site_id, sum(labelled_events), sum(correct_events) / sum(labelled_events) "
        f"from '{settings.published_path}/label_accuracy.parquet' group by all"
    )
    sites = {"north": "North plant", "south": "South plant"}
    expected = {
        (f"floor-vision {version}", sites[site], kind, f"{labelled:,.0f}", _percent(accuracy))
        for version, kind, site, labelled, accuracy in rows
    }
    shown = _table(met["models", OFFICE], "Model", "Site", "Reported", "Reviewed", "Disputed")
    assert {(*row[:4], row[6].removeprefix("▼ ")) for row in shown} == expected


def test_the_models_page_lists_the_sample_that_people_are_asked_to_label(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    file = f"{settings.published_path}/review_queue.parquet"
    labelled = f"(select event_key from '{settings.published_path}/labelled_events.parquet' where not is_disputed)"
    waiting, done = read_rows(
        f"select count(*) filter (event_key not in {labelled}), count(*) filter (event_key in {labelled}) "
        f"from '{file}' where timestamp::date between '2026-02-22' and '2026-02-28'"
    )[0]
    page = met["models", OFFICE]
    shown = _table(page, "Model", "Site", "Reported", "Done", "Events to label")
    assert sum(int(row[4].replace(",", "")) for row in shown) == waiting > 0
    assert sum(int(row[5].replace(",", "")) for row in shown) == done > 0
    assert all(
        row[3] == f"{int(row[5].replace(',', ''))} of {int(row[4].replace(',', '')) + int(row[5].replace(',', ''))}"
        for row in shown
    )
    keys = {row[0] for row in read_rows(f"select event_key from '{file}' where event_key not in {labelled}")}
    newest = _table(page, "Time", "Site", "Camera")
    assert newest
    assert {row[-1] for row in newest} <= keys


def test_the_models_page_holds_the_event_mix_against_its_baseline_and_tells_the_verdicts(
    met: dict[tuple[str, int], Met],
) -> None:
    page = met["models", OFFICE]
    assert "Event mix against its baseline" in page["text"]
    assert "alarm 15.0 %" in page["text"]
    (verdict,) = _table(page, "Versions", "Site", "Metric", "Verdict")
    assert verdict[:6] == [
        "1.4 → 1.5",
        "North plant",
        "accuracy",
        "1.5 is worse than 1.4",
        _percent(0.91),
        _percent(0.87),
    ]


def test_data_health_tells_of_unknown_fields_since_when_and_of_how_many_cameras(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    rows = read_rows(
        "select field, camera_count, object_count, "
        "strftime(timezone('Europe/Berlin', first_seen_at), '%-d %b %Y, %H:%M') || ' CET' "
        f"from '{settings.published_path}/unexpected_fields.parquet' order by field"
    )
    shown = _table(met["data health", OFFICE], "Field", "Site", "Cameras", "Files", "First seen")
    assert [(row[0], int(row[2]), int(row[3]), row[4]) for row in shown] == rows


def test_data_health_tells_what_changed_registries_changed(met: dict[tuple[str, int], Met]) -> None:
    shown = _table(met["data health", OFFICE], "In force since", "File", "Site", "What changed")
    assert [row[1:6] for row in shown] == [["shifts.csv", "*", "Changed: day 06:00 → 07:00.", "3", "12"]]


def test_data_health_shows_how_much_of_its_time_each_camera_covered(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    rows = read_rows(
        "select camera_id, sum(covered_seconds) / sum(scheduled_seconds), sum(late_events) / sum(event_count) "
        f"from '{settings.published_path}/camera_days.parquet' group by all"
    )
    shown = {row[0]: (row[8], row[10]) for row in _table(met["data health", OFFICE], "Camera", "Site", "Last heard")}
    assert shown == {camera: (_percent(coverage), _percent(late)) for camera, coverage, late in rows}


def test_the_camera_wall_shows_what_each_camera_covered_on_each_date(
    settings: Settings, met: dict[tuple[str, int], Met]
) -> None:
    file = f"{settings.published_path}/camera_days.parquet"
    rows = read_rows(
        "select camera_id, list(covered_seconds / scheduled_seconds order by event_date), count(*) "
        f"from '{file}' group by all"
    )
    wall = {row[0]: row[2:] for row in _table(met["data health", OFFICE], "Camera", "Site")}
    dates = max(count for *_, count in rows)
    for camera, coverage, count in rows:
        if count == dates:
            assert [cell.removeprefix("◆") for cell in wall[camera]] == [f"{100 * share:.0f} %" for share in coverage]


def test_data_health_leads_to_the_checks_own_pages(met: dict[tuple[str, int], Met]) -> None:
    assert any(urlsplit(link).path == "/checks/index.html" for link in met["data health", OFFICE]["links"])
    shown = _table(met["data health", OFFICE], "Check", "Newest day", "Judged")
    assert [row[0] for row in shown] == ["event mix is near its baseline"]
    assert shown[0][2:7] == ["2", "1", "0", "1", "0"]


def test_data_health_counts_what_landed(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    objects, records, accepted, rejected = _expected(
        settings, "landed_objects", "count(*), sum(records), sum(accepted), sum(rejected)", "true"
    )
    page = met["data health", OFFICE]
    assert page["figures"]["objects"] == f"{objects:,}"
    assert page["figures"]["records"] == f"{records:,}"
    assert page["figures"]["rejected"] == f"{rejected:,}"
    assert page["figures"]["accepted_share"] == _percent(accepted / records)
    assert "timestamp 'yesterday' is not ISO 8601" in page["text"]
    assert "helmet" in page["text"]


def test_the_worked_example_is_the_newest_complete_shift(settings: Settings, met: dict[tuple[str, int], Met]) -> None:
    where = "site_id = 'south' and shift_id = 'evening' and shift_date = '2026-02-28'"
    utilization, *_ = _expected(settings, "worker_shifts", WORKER_SUMS, where)
    text = met["definitions", OFFICE]["text"]
    assert f"= {_percent(utilization)}" in text[: text.index("Attendance")]


def test_a_worker_nobody_knows_gets_words_and_no_figures(met: dict[tuple[str, int], Met]) -> None:
    page = met["unknown worker", OFFICE]
    assert "There is no data about worker nobody.1" in page["text"]
    assert "utilization" not in page["figures"]


def test_a_table_is_sorted_searched_and_saved_as_csv(server: SiteServer) -> None:
    script = """
        const table = Array.from(document.querySelectorAll('section.table')).at(-1);
        const heads = Array.from(table.querySelectorAll('th button'));
        const head = heads.find((button) => button.innerText.startsWith('Units'));
        const column = (at) => Array.from(table.querySelectorAll('tbody tr'), (row) => row.cells[at].innerText);
        const units = () => column(5).map((text) => Number(text.replace(',', '')));
        head.click(); await new Promise((go) => setTimeout(go, 50));
        const down = units();
        head.click(); await new Promise((go) => setTimeout(go, 50));
        const up = units();
        let saved;
        const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => ((saved = blob), make.call(URL, blob));
        table.querySelector('.tools button').click();
        const search = table.querySelector('input[type=search]');
        search.value = 'south'; search.dispatchEvent(new Event('input'));
        await new Promise((go) => setTimeout(go, 50));
        return JSON.stringify({ down, up, csv: await saved.text(), found: column(1) });
    """
    (page,) = _open(server, [Visit("/", script=script)])
    assert "problem" not in page, page["problem"]
    answer = json.loads(page["answer"])
    assert answer["down"] == sorted(answer["down"], reverse=True) != answer["up"] == sorted(answer["up"])
    lines = answer["csv"].split("\r\n")
    assert lines[0].startswith("Shift date,Site,Site id,Shift,Workers,Stations,Units,With target,Target so far,")
    assert len(lines) == 7 * 2 * 2 + 2
    assert set(answer["found"]) == {"South plant"}


def test_dark_colours_and_paper_are_drawn(server: SiteServer, met: dict[tuple[str, int], Met]) -> None:
    visits = [
        *(Visit(path, name=name, scheme="dark", check=True) for name, path in PAGES.items()),
        Visit("/", name="paper", media="print"),
    ]
    *dark, paper = _open(server, visits)
    for page in dark:
        assert page["background"] == "rgb(15, 20, 25)"
        assert [issue for issue in page["issues"] if issue["impact"] in {"serious", "critical"}] == []
    assert met["plant", OFFICE]["shows"]
    assert not paper["shows"]  # neither navigation nor filters
    assert paper["background"] == "rgb(255, 255, 255)"


def test_a_sheet_of_paper_holds_every_column_of_a_page(server: SiteServer) -> None:
    a4 = 794  # the width of the sheet in CSS pixels
    names = ("plant", "hours", "workers", "worker", "workstations", "workstation", "compare")
    for page in _open(server, [Visit(PAGES[name], a4, name, media="print") for name in names]):
        assert (page["name"], page["scrollWidth"]) == (page["name"], a4)


def test_a_page_that_stays_open_shows_the_next_batch_whole_and_without_a_flash(
    tmp_path: Path, shell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings, days=9)
    publish_site(settings, shell)
    asked = 0

    def answer_and_publish(site: Path, target: str, headers: Mapping[str, str]) -> Answer:
        """Answer the page's request for the manifest, then publish a batch before the page asks again."""
        nonlocal asked
        asked += target == "/data/manifest.json"
        if target == "/data/manifest.json" and asked == 2:
            publish_sample(settings, workers=9, days=9)
            publish_site(settings, shell)
        return answer_for(site, target, headers)

    monkeypatch.setattr("reports.serve.answer_for", answer_and_publish)
    watch = """
        const figure = (name) => document.querySelector(`[data-figure=${name}]`)?.innerText ?? 'gone';
        const read = () => ['units', 'active_seconds'].map(figure).join(' ');
        const seen = [read()];
        const observer = new MutationObserver(() => seen.at(-1) === read() || seen.push(read()));
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
        const before = read();
        document.dispatchEvent(new Event('visibilitychange'));
        for (let i = 0; i < 200 && read() === before; i += 1) await new Promise((go) => setTimeout(go, 50));
        return JSON.stringify(seen);
    """
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (page,) = _open(server, [Visit("/", script=watch)])
        server.shutdown()
    assert "problem" not in page, page["problem"]
    assert page["consoleErrors"] == page["failedRequests"] == []
    units, active = _expected(settings, "worker_shifts", "sum(units), sum(active_seconds)")
    seen = json.loads(page["answer"])
    assert len(seen) == 2  # first the old figures, then all new ones: never none, never a mixture
    assert seen[1] == f"{units:,} {_duration(active)}"


def test_times_are_the_sites_own_for_readers_in_every_time_zone(
    server: SiteServer, met: dict[tuple[str, int], Met]
) -> None:
    visits = [Visit(PAGES[name], name=name) for name in ("plant", "hours", "timeline")]
    for page in _open(server, visits, "America/Los_Angeles"):
        goes_on = r"This page looked \d\d:\d\d|\(\d+ min ago\)"  # changes between two visits
        assert re.sub(goes_on, "", page["text"]) == re.sub(goes_on, "", met[page["name"], OFFICE]["text"])


def test_a_plant_without_any_data_shows_words_in_place_of_figures(tmp_path: Path, shell: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings, is_empty=True)
    publish_site(settings, shell)
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        fixed = {name: path for name, path in PAGES.items() if path.count("/") == 1}
        pages = _open(server, [Visit(path, name=name) for name, path in fixed.items()])
        server.shutdown()
    for page in pages:
        assert "problem" not in page, page["problem"]
        assert page["consoleErrors"] == page["failedRequests"] == []
        assert "No records have landed yet" in page["text"]
        assert "No activity yet" in page["text"]
        assert "NaN" not in page["text"]
    assert "No camera saw anybody at work in this selection." in pages[0]["text"]


def test_a_plant_without_figures_about_persons_says_so_and_shows_the_rest(tmp_path: Path, shell: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings, days=9)
    for mart in ("worker_shifts", "state_intervals"):
        (settings.published_path / f"{mart}.parquet").unlink()
    publish_site(settings, shell)
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        plant, workers, timeline = _open(server, [Visit("/"), Visit("/workers"), Visit("/timeline")])
        server.shutdown()
    (units,) = _expected(settings, "site_shifts", "sum(units)")
    assert plant["figures"]["units"] == f"{units:,}"
    assert "attendance" not in plant["figures"]
    assert "publishes no figures about single persons" in workers["text"]
    assert "publishes no figures about single persons" in timeline["text"]
    assert not [
        link for link in plant["links"] if urlsplit(link).path.rstrip("/") == "/workers"
    ]  # no empty page in the menu


def test_the_menu_has_no_page_about_persons_for_a_site_of_station_events_alone(tmp_path: Path, shell: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings)
    file = settings.published_path / "worker_shifts.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as from '{file}' where site_id = 'north'")
        connection.execute(f"copy kept to '{file}' (format parquet)")
    publish_site(settings, shell)
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pages = _open(server, [Visit("/data-health/" + site) for site in ("", "?site=north", "?site=south")])
        server.shutdown()
    shown = [any(urlsplit(link).path.rstrip("/") == "/workers" for link in page["links"]) for page in pages]
    assert shown == [True, True, False]
