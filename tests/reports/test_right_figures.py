"""Running shifts, empty stations, thin evidence and old data are shown as such."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.settings import Settings
from reports.browser import Visit
from tests.reports.opened import IN_A_BROWSER, SAVE, Met, meet, saved_file, served, table_of
from tests.reports.published_sample import publish_sample, read_rows

pytestmark = IN_A_BROWSER

# The newest landing is at 23:00 UTC, 17:00 in the south, where the evening shift goes from 14:00 to 22:00.
WHILE_IT_RUNS = "2026-02-28T23:10:00Z"
SIX_IN_CHICAGO = 1772280000000  # 06:00 of 2026-02-28 there
AFTER_IT_ENDED = "2026-03-01T04:05:00Z"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(data_dir=tmp_path_factory.mktemp("running"))
    publish_sample(settings, days=9, is_running=True)
    return settings


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with served(settings) as address:
        yield address


ALONE = "Date.now = ((real) => () => real() + 60000)(Date.now); "
GONE = "window.fetch = () => Promise.reject(new Error('gone')); "
AND_THEN = (
    "document.dispatchEvent(new Event('visibilitychange')); await new Promise((go) => setTimeout(go, 6000)); "
    "return document.querySelector('[data-lost]')?.innerText ?? '';"
)


# The bars of the timeline, in seconds of the window's eight hours, and the grey figures.
DRAWN = """
    const lanes = Array.from(document.querySelectorAll('svg[data-lane]'), (svg) => {
        const texts = Array.from(svg.querySelectorAll('path'), (path) => path.getAttribute('d')).join('');
        const drawn = Array.from(texts.matchAll(/M([\\d.]+) [\\d.]+H([\\d.]+)/g), ([, from, to]) => to - from);
        return drawn.reduce((sum, width) => sum + width, 0) / svg.clientWidth * 28800;
    });
    const grey = Array.from(document.querySelectorAll('.value.thin'), (value) => value.dataset.figure);
    return { drawn: lanes.reduce((sum, lane) => sum + lane, 0), grey };
"""
# The marks of an incident on figures, rows and the timeline, and the page's content when its button called the printer.
MARKED = """
    const count = (name) => document.querySelectorAll(name).length;
    return [count('dl.figures dt'), count('dl.figures dt .incident'), count('td .incident'), count('[data-mark]')];
"""
PRINTED = """
    const printed = new Promise((done) => { window.print = () => done(location.search); });
    Array.from(document.querySelectorAll('button')).find((one) => one.innerText.startsWith('Print what')).click();
    const address = await printed;
    return [address, document.querySelector('[data-figure=windows]').innerText];
"""
# The stations with grey cells of the grid, and of those cells what is told on pointing.
GREY_HOURS = """
    const cells = Array.from(document.querySelectorAll('td.thin[title]'));
    return Object.fromEntries(cells.map((cell) => [cell.parentElement.cells[0].innerText, cell.title]));
"""
# A choice of a site and an order of the table, each undone by Back.
BACK = """
    const settle = () => new Promise((go) => setTimeout(go, 1500));
    const site = () => document.querySelector('select[name=site]');
    const order = () => document.querySelector('th[aria-sort]')?.innerText.trim() ?? '';
    site().value = 'south';
    site().dispatchEvent(new Event('change'));
    await settle();
    document.querySelector('section.table th button').click();
    await settle();
    const told = [[location.search, order()]];
    for (const _ of [1, 2]) {
        history.back();
        await settle();
        told.push([location.search, site().value, order()]);
    }
    return told;
"""
SIDES = """
    const of = document.querySelector('select[name=of]');
    of.value = 'week';
    of.dispatchEvent(new Event('change'));
    await new Promise((go) => setTimeout(go, 1500));
    const heads = Array.from(document.querySelectorAll('table[data-sides] thead th'), (head) => head.innerText);
    return [location.search, heads, document.querySelector('[data-holds]').innerText];
"""
TILES = """
    const tiles = Array.from(document.querySelectorAll('li[data-tile]'));
    return Object.fromEntries(tiles.map((tile) => [tile.dataset.tile, tile.innerText]));
"""


@pytest.fixture(scope="module")
def met(address: str) -> dict[str, Met]:
    visits = [
        Visit("/", name="running", now=WHILE_IT_RUNS),
        Visit("/", name="ended", now=AFTER_IT_ENDED),
        Visit("/?site=south", name="south", now=WHILE_IT_RUNS),
        Visit("/", name="ten days later", now="2026-03-10T12:00:00Z"),
        Visit("/hours/?site=south&date=2026-02-28&shift=evening&station=S1", name="hours", now=WHILE_IT_RUNS),
        Visit("/hours/?site=south&date=2026-02-28&shift=day", name="all hours", now=WHILE_IT_RUNS, script=GREY_HOURS),
        Visit("/hours/?site=south&date=2026-02-28&shift=day&station=S2", name="thin hours", now=WHILE_IT_RUNS),
        Visit("/timeline/?site=south&date=2026-02-28&shift=evening", name="timeline", now=WHILE_IT_RUNS),
        Visit("/workstations/", name="stations"),
        Visit("/workstations/south/S9", name="empty station"),
        Visit("/workstations/north/S2", name="thin station", script=DRAWN),
        Visit("/compare/?period=1", name="compare"),
        Visit("/board/north/", name="board", now=WHILE_IT_RUNS, script=TILES),
        Visit("/workers/north/W01", name="person", script=MARKED),
        Visit("/workers/south/W01?period=1", name="person elsewhere", script=MARKED),
        Visit("/workers/north/W01?period=1&shift=day", name="printed", script=PRINTED),
        Visit("/models/?site=south", name="models of the south"),
        Visit("/models/?period=1", name="models of a day"),
        Visit("/models/?period=31", name="models of a month"),
        Visit("/models/?from=2025-01-01&to=2025-01-31", name="models long ago"),
        Visit("/lines/north/Line north/", name="line", check=True),
        Visit("/lines/north/Line north/", 390, name="line on a phone", check=True),
        Visit("/workstations/north/S1?period=31", name="station called about"),
        Visit("/workstations/", name="there and back", script=BACK),
        Visit("/compare/?period=31", name="compare of a month", script=SIDES, check=True),
        Visit("/compare/", 390, name="compare on a phone", check=True),
        Visit(f"/timeline/?site=south&date=2026-02-28&shift=day&station=S2&hour={SIX_IN_CHICAGO}", name="one hour"),
        Visit("/definitions/", name="server there", script=ALONE + AND_THEN),
        Visit("/definitions/", name="server gone", script=ALONE + GONE + AND_THEN),
    ]
    return {page["name"]: page for page in meet(address, *visits)}


def _targets(settings: Settings, where: str) -> tuple[float, float, float]:
    """Units, target so far and full target of the stations with a target."""
    file = f"{settings.published_path}/station_targets.parquet"
    return read_rows(f"select sum(units), sum(target_units_so_far), sum(target_units) from '{file}' where {where}")[0]


SOUTH_NOW = "site_id = 'south' and shift_date = '2026-02-28' and shift_id = 'evening'"


def test_a_running_shift_is_held_against_its_target_so_far(settings: Settings, met: dict[str, Met]) -> None:
    made, so_far, whole = _targets(settings, SOUTH_NOW)
    assert so_far < whole
    card = met["running"]["text"].split("South plant\n● Running")[1].split("People")[0]
    assert f"target so far (17:00) of {so_far:,.0f}" in card
    assert f"{100 * made / so_far:.1f} % of target so far, −{so_far - made:,.0f}" in card


def test_a_shift_whose_time_is_over_is_not_called_running(met: dict[str, Met]) -> None:
    assert "South plant\n◌ Over, files may still arrive" in met["ended"]["text"]
    assert "Running" not in met["ended"]["text"]


def test_an_hour_that_runs_is_held_against_its_share_and_hours_to_come_against_none(
    settings: Settings, met: dict[str, Met]
) -> None:
    file = f"{settings.published_path}/hourly_output.parquet"
    where = f"{SOUTH_NOW} and workstation_id = 'S1'"
    ((units, so_far),) = read_rows(f"select sum(units), sum(target_units_so_far) from '{file}' where {where}")
    figures = met["hours"]["figures"]
    assert figures["target_units"] == f"{so_far:,.0f}"
    assert figures["gap"] == f"▼ −{so_far - units:,.0f}"


def test_a_station_where_nobody_was_seen_counts_with_its_target_and_has_a_name(
    settings: Settings, met: dict[str, Met]
) -> None:
    made, so_far, _ = _targets(settings, "shift_date > '2026-02-21'")
    assert met["running"]["figures"]["attainment"] == f"{100 * made / so_far:.1f} %"
    assert "Press 9" in met["running"]["text"]
    rows = {(row[0], row[1]): row for row in table_of(met["stations"], "Workstation", "Site", "Line")}
    empty = rows["Press 9", "South plant"]
    assert "nobody seen" in empty
    assert "▼ 0.0 %" in empty
    assert met["empty station"]["figures"]["name"] == "Press 9"


def test_the_losses_of_the_target_add_up_to_what_was_made(settings: Settings, met: dict[str, Met]) -> None:
    file = f"{settings.published_path}/station_targets.parquet"
    ((planned, not_seen, unstaffed, idle, slow, made),) = read_rows(
        "select sum(target_units_so_far), sum(target_units_per_hour * not_seen_seconds) / 3600, "
        "sum(target_units_per_hour * unstaffed_seconds) / 3600, sum(target_units_per_hour * idle_seconds) / 3600, "
        "sum(target_units_per_hour * working_seconds / 3600 - units), sum(units) "
        f"from '{file}' where shift_date > '2026-02-21'"
    )
    assert planned - not_seen - unstaffed - idle - slow == pytest.approx(made)
    shown = {row[0]: row[2] for row in table_of(met["running"], "Step", "Drawn", "Units")}
    assert shown["Planned so far"] == f"{planned:,.0f}"
    assert shown["Not seenno camera was heard"] == f"−{not_seen:,.0f}"
    assert shown["Unstaffedwatched, and nobody there"] == f"−{unstaffed:,.0f}"
    assert shown["Made"] == f"{made:,.0f}"


def test_a_date_that_is_not_over_is_hollow_and_left_out_of_comparisons(
    settings: Settings, address: str, met: dict[str, Met]
) -> None:
    numbers = table_of(met["running"], "Date", "Units, all stations")
    assert numbers[-1][0].endswith("(not over yet)")
    assert not numbers[-2][0].endswith("(not over yet)")
    (compare,) = meet(address, Visit("/compare/"))
    file = f"{settings.published_path}/site_shifts.parquet"
    ((units,),) = read_rows(
        f"select sum(units) from '{file}' where site_id = 'south' and shift_date > '2026-02-21' and not ({SOUTH_NOW})"
    )
    south = next(row for row in table_of(compare, "Site", "Shifts", "Units") if row[0] == "South plant")
    assert south[2] == f"{units:,}"


def test_figures_on_thin_evidence_are_marked_with_what_was_seen(address: str, met: dict[str, Met]) -> None:
    assert "rest on thin evidence" in met["thin station"]["text"]
    assert "rest on thin evidence" not in met["empty station"]["text"]
    thin = "return Array.from(document.querySelectorAll('tr.thin'), (row) => row.cells[0].innerText);"
    (stations,) = meet(address, Visit("/workstations/?period=1&site=north", script=thin))
    assert stations["answer"] == ["Painting 2"]


def test_a_timeline_draws_a_state_only_while_somebody_vouches_for_it(settings: Settings, met: dict[str, Met]) -> None:
    where = "site_id = 'north' and workstation_id = 'S2' and shift_date = '2026-02-28' and shift_id = 'evening'"
    folder = settings.published_path
    ((claimed,),) = read_rows(f"select sum(seconds) from '{folder}/state_intervals.parquet' where {where}")
    ((vouched,),) = read_rows(f"select sum(seconds) from '{folder}/observed_intervals.parquet' where {where}")
    assert vouched == 0.7 * claimed
    assert met["thin station"]["answer"]["drawn"] == pytest.approx(vouched, rel=0.02)
    rows = table_of(met["thin station"], "Worker", "working", "idle", "absent", "of it not seen")
    hours, minutes = divmod(round((claimed - vouched) / 60), 60)
    assert sum(_minutes(row[4]) for row in rows) == pytest.approx(60 * hours + minutes, abs=len(rows))


def _minutes(text: str) -> int:
    hours, _, minutes = text.removesuffix(" min").rpartition(" h ")
    return 60 * int(hours or 0) + int(minutes)


def test_every_figure_on_thin_evidence_is_grey_and_says_how_much_was_seen(met: dict[str, Met]) -> None:
    page = met["thin station"]
    assert {"units", "utilization", "throughput_per_hour"} <= set(page["answer"]["grey"])
    assert "rest on thin evidence: only 50 % seen" in page["text"]
    assert {row[-2] for row in table_of(page, "Date", "Units")} == {"only 50 % seen"}
    assert "only 50 % seen" in met["board"]["answer"]["S2"]
    assert "only" not in met["board"]["answer"]["S1"]


def test_hours_on_thin_evidence_are_grey_like_the_shift(met: dict[str, Met]) -> None:
    assert met["all hours"]["answer"] == {"Painting 2": "thin evidence: only 50 % seen of the staffed time"}
    rows = [row[0] for row in table_of(met["thin hours"], "Hour")]
    assert rows
    assert all("only 50 % seen" in hour for hour in rows)


def test_a_line_has_a_page_whose_losses_add_up_and_say_whom_to_call(settings: Settings, met: dict[str, Met]) -> None:
    file = f"{settings.published_path}/station_targets.parquet"
    ((planned, made),) = read_rows(
        f"select sum(target_units_so_far), sum(units) from '{file}' "
        "where line = 'Line north' and shift_date > '2026-02-21'"
    )
    page = met["line"]
    shown = {row[0]: row[2] for row in table_of(page, "Step", "Drawn", "Units")}
    assert (shown["Planned so far"], shown["Made"]) == (f"{planned:,.0f}", f"{made:,.0f}")
    assert page["figures"]["attainment"] == f"{100 * made / planned:.1f} %"
    assert page["figures"]["name"] == "Line north"
    # the line's own contact for one cause, every site's for another, and for the others the one of every cause
    losses = {
        row[0].split("call")[0]: row[0].partition("call ")[2] for row in table_of(page, "Step") if "call" in row[0]
    }
    assert losses["Unstaffedwatched, and nobody there"] == "Staffing desk 120"
    assert losses["Idlesomebody there, not working"] == "Shift lead 100"
    assert {row[0] for row in table_of(page, "Workstation", "State")} >= {"Press 9"}
    phone = met["line on a phone"]
    assert phone["scrollWidth"] <= 390
    for one in (page, phone):
        assert [issue for issue in one["issues"] if issue["impact"] in {"serious", "critical"}] == []
        assert one["consoleErrors"] == one["failedRequests"] == []


def test_back_undoes_a_choice_and_an_order_one_after_the_other(met: dict[str, Met]) -> None:
    assert met["there and back"]["answer"] == [
        ["?site=south&sort.workstations=workstation_name", "Workstation ↑"],
        ["?site=south", "south", ""],
        ["", "", ""],
    ]


def test_a_cell_leads_to_its_hour_which_is_drawn_alone(met: dict[str, Met]) -> None:
    (link,) = [one for one in met["all hours"]["links"] if f"station=S2&hour={SIX_IN_CHICAGO}" in one]
    assert "/timeline/?site=south&shift=day&date=2026-02-28&" in link
    page = met["one hour"]
    assert "Stations, 06:00–07:00" in page["text"]
    (lane,) = table_of(page, "Station", "working", "idle", "absent")
    assert all(" h " not in time for time in lane[1:4])


def test_weeks_stand_side_by_side_and_the_period_says_what_it_holds(met: dict[str, Met]) -> None:
    address, heads, holds = met["compare of a month"]["answer"]
    assert address == "?period=31&of=week"
    assert [head.split(",")[0].split()[0] for head in heads] == ["Figure", "Week", "Week"]
    assert holds == "29 January 2026 to 28 February 2026, 31 dates, 22 of them without data"
    for name in ("compare of a month", "compare on a phone"):
        page = met[name]
        assert page["consoleErrors"] == page["failedRequests"] == []
        assert [issue for issue in page["issues"] if issue["impact"] in {"serious", "critical"}] == []
    assert met["compare on a phone"]["scrollWidth"] <= 390


def test_a_square_of_a_version_shows_the_shares_of_what_it_reported(settings: Settings, met: dict[str, Met]) -> None:
    file = f"{settings.published_path}/label_confidence.parquet"
    ((right, all_of_them),) = read_rows(
        "select sum(labelled_events) filter (where event_type = true_event_type), sum(labelled_events) "
        f"from '{file}' where site_id = 'north' and model_version = '1.4' and event_type = 'idle'"
    )
    squares = [
        table for table in met["models of a month"]["tables"] if table[0][1:] == ["working", "idle", "absent", "count"]
    ]
    assert len(squares) == 2  # the only version of each site
    assert squares[0][2][2] == f"{100 * right / all_of_them:.0f} %"
    assert "How sure was each camera, week by week?" in met["models of a month"]["text"]


def test_a_file_says_which_of_its_figures_rest_on_thin_evidence(address: str) -> None:
    (page,) = meet(address, Visit("/workstations/?period=1&site=north", script=SAVE))
    heads, *rows = [line.split(",") for line in saved_file(page, "workstations-2026-02-28-to-2026-02-28.csv")]
    thin = {row[0]: (row[heads.index("Seen (%)")], row[heads.index("Thin evidence")]) for row in rows if row != [""]}
    assert thin["Painting 2"] == ("50.0", "yes")
    assert thin["Assembly 4" if "Assembly 4" in thin else "S4"][1] == "no"


def test_an_axis_shows_days_of_the_week_without_rows_too(met: dict[str, Met]) -> None:
    rows = table_of(met["compare"], "", "Units per date")
    assert [row[0] for row in rows] == [
        *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ]
    assert {row[1] for row in rows if row[0] != "Saturday"} == {"–"}


def test_an_incident_is_shown_on_every_page_that_it_affects_and_persons_pages_say_how_often_reports_are_right(
    settings: Settings, met: dict[str, Met]
) -> None:
    for name in ("running", "person", "thin station"):
        assert "mean confidence 0.71 is under the floor 0.85" in met[name]["text"]
    assert "Open incident" not in met["empty station"]["text"]  # it is at the other site
    file = f"{settings.published_path}/label_accuracy.parquet"
    ((checked, correct),) = read_rows(
        f"select sum(labelled_events), sum(correct_events) from '{file}' "
        "where site_id = 'north' and event_type = 'idle'"
    )
    share, z = correct / checked, 1.96
    middle, reach = share + z * z / 2 / checked, z * (share * (1 - share) / checked + z * z / 4 / checked**2) ** 0.5
    low, high = ((middle + sign * reach) / (1 + z * z / checked) for sign in (-1, 1))
    assert f"“idle” is right in {100 * low:.0f}–{100 * high:.0f} % of {checked:,} checks" in met["person"]["text"]


def test_an_incident_marks_every_figure_row_and_timeline_that_it_touches_and_no_other(met: dict[str, Met]) -> None:
    figures, marked, rows, timelines = met["person"]["answer"]
    dated = {row[0] for row in table_of(met["person"], "Shift date", "Shift", "Time seen")}
    touched = {day for day in dated if any(date in day for date in ("26 Feb", "27 Feb", "28 Feb"))}
    assert marked == figures > 0
    assert rows == len(touched) > 0
    assert len(dated) > rows
    assert timelines == 1
    heads = next(table[0] for table in met["person"]["tables"] if table[0][:2] == ["Date", "Active"])
    assert heads[-1] == "Incident or worse version"
    assert met["person elsewhere"]["answer"][1:] == [0, 0, 0]


def test_the_print_about_a_person_holds_all_dates_and_shifts(settings: Settings, met: dict[str, Met]) -> None:
    file = f"{settings.published_path}/worker_shifts.parquet"
    ((shifts,),) = read_rows(f"select count(*) from '{file}' where site_id = 'north' and worker_id = 'W01'")
    assert met["printed"]["answer"] == ["?period=all", str(shifts)]


def test_freshness_has_three_clocks_and_data_of_ten_days_ago_is_not_green(met: dict[str, Met]) -> None:
    live, old = met["running"]["text"], met["ten days later"]["text"]
    assert "Live: " in live
    assert "Old: " in old
    assert "(9 days ago)" in old or "(10 days ago)" in old
    assert "Last batch published" in live
    assert "This page looked 23:10" in live


def test_a_page_whose_server_is_gone_says_so_within_a_minute(met: dict[str, Met]) -> None:
    assert "has not answered since" in met["server gone"]["answer"]
    assert met["server there"]["answer"] == ""


def test_site_and_period_filter_every_table_of_the_models(met: dict[str, Met]) -> None:
    sites = {
        row[table[0].index("Site")]
        for table in met["models of the south"]["tables"]
        if "Site" in table[0]
        for row in table[1:]
        if len(row) == len(table[0])
    }
    assert sites == {"South plant"}
    queued = table_of(met["models of a day"], "Time", "Site", "Camera")
    # by the sites' local time: the UTC date of the 28th begins on the 27th in Chicago, and ends on the 1st in Berlin
    shown = {(row[1], row[0][:11]) for row in queued}
    assert shown <= {
        *(("North plant", day) for day in ("28 Feb 2026", "1 Mar 2026,")),
        *(("South plant", day) for day in ("27 Feb 2026", "28 Feb 2026")),
    }
    # a pair of versions is shown if one of them is in use
    verdicts = [table for table in met["models long ago"]["tables"] if table[0][0] == "Versions"]
    assert verdicts == []
    assert table_of(met["models of a month"], "Versions", "Site")[0][0] == "1.4 → 1.5"


def test_nothing_is_drawn_after_the_newest_landing(met: dict[str, Met]) -> None:
    seconds = table_of(met["timeline"], "Worker", "working")
    assert seconds
    file_end = "3 h 00 min"  # of an evening shift from 14:00, at 17:00
    assert all(row[1] <= file_end for row in seconds)


def test_the_sample_has_a_running_shift(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings, is_running=True)
    file = f"{settings.published_path}/shift_windows.parquet"
    assert read_rows(f"select site_id, shift_id from '{file}' where not is_complete") == [("south", "evening")]
