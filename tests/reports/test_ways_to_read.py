"""The report behind a proxy, in a tab, in a spreadsheet, on paper, over two years, and on the wall."""

from __future__ import annotations

import http.client
import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from ingestion.settings import Settings
from reports.browser import Visit
from reports.site import is_site_current, publish_site
from tests.reports.opened import IN_A_BROWSER, SAVE, built_shell, meet, saved_file, served, table_of
from tests.reports.published_sample import publish_sample, read_rows

pytestmark = IN_A_BROWSER

PREFIX = "/floorhouse"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Ten weeks around the turn of the year."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("long"))
    publish_sample(settings, days=70, workers=4, stations=3, is_running=True)
    return settings


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with served(settings) as address:
        yield address


@pytest.fixture
def proxy(address: str) -> Iterator[str]:
    """The address of a proxy that shows the report below a sub-path, and nothing elsewhere."""
    upstream = urlsplit(address).netloc

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            connection = http.client.HTTPConnection(upstream, timeout=30)
            connection.request("GET", self.path[len(PREFIX) :], headers={"Accept": self.headers.get("Accept", "*/*")})
            answer = connection.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_behind_a_proxy_every_page_opens_and_requests_nothing_outside_its_sub_path(
    settings: Settings, proxy: str
) -> None:
    file = f"{settings.published_path}/site_shifts.parquet"
    ((units,),) = read_rows(f"select sum(units) from '{file}' where shift_date > '2026-02-21'")
    pages = meet(
        proxy,
        Visit(f"{PREFIX}/", name="plant"),
        Visit(f"{PREFIX}/workers/north/W01/", name="deep"),
        Visit(f"{PREFIX}/workstations/?site=south&period=31", name="asks the engine"),
        Visit(f"{PREFIX}/board/south/", name="board"),
    )
    for page in pages:
        assert page["consoleErrors"] == page["failedRequests"] == []
        assert [path for path in page["requests"] if not path.startswith(f"{PREFIX}/")] == []
        links = [urlsplit(link).path for link in page["links"]]
        assert [link for link in links if not link.startswith(f"{PREFIX}/")] == []
    assert pages[0]["figures"]["units"] == f"{units:,}"
    assert any(path.endswith(".wasm") for path in pages[2]["requests"])


def test_an_address_that_is_no_page_says_so_also_behind_a_proxy(address: str, proxy: str) -> None:
    (there,) = meet(address, Visit("/nowhere/", script="return document.querySelector('h1').innerText;"))
    (behind,) = meet(proxy, Visit(f"{PREFIX}/no/where/", script="return document.querySelector('h1').innerText;"))
    assert there["answer"] == behind["answer"] == "There is no such page"


def test_every_tab_names_its_page_and_none_its_maker(address: str) -> None:
    paths = ["/", "/hours/", "/workers/", "/workers/north/W01/", "/workers/north/W02/", "/board/south/", "/models/"]
    metas = "return Array.from(document.querySelectorAll('meta[name^=twitter]'), (meta) => meta.content);"
    pages = meet(address, *(Visit(path, name=path, script=metas) for path in paths))
    titles = [page["title"] for page in pages]
    assert titles[0] == "How is the plant doing? · Floorhouse"
    assert len(set(titles)) == len(titles)
    assert all(title.endswith(" · Floorhouse") for title in titles)
    assert [page["answer"] for page in pages] == [[]] * len(pages)


def test_every_tab_and_every_print_names_the_plant(settings: Settings, address: str) -> None:
    named = settings.model_copy(update={"plant_name": "Werk Süd <1>"})
    assert not is_site_current(named)
    try:
        publish_site(named, built_shell())
        assert is_site_current(named)
        plant, board, choice, paper = meet(
            address,
            Visit("/"),
            Visit("/board/south/"),
            Visit("/board/"),
            Visit("/timeline/?site=north&station=S1&date=2026-02-27", media="print"),
        )
    finally:
        publish_site(settings, built_shell())
    assert plant["title"] == "How is the plant doing? · Werk Süd <1>"
    assert board["title"] == "South plant: board of the running shift · Werk Süd <1>"
    assert choice["title"] == "Which board do you want to show? · Werk Süd <1>"
    told = paper["text"].replace("\n", " ")
    assert "Werk Süd <1> · " in told
    assert "Site North plant" in told
    assert "27 Feb" in told
    assert "Station S1" in told


def test_a_file_is_for_the_spreadsheet_of_the_readers_own_place(settings: Settings, address: str) -> None:
    people, health = meet(
        address, Visit("/workers/?site=north", script=SAVE, locale="de-DE"), Visit("/data-health/", script=SAVE)
    )
    file = f"{settings.published_path}/worker_shifts.parquet"
    ((utilization,),) = read_rows(
        f"select sum(active_seconds) / sum(present_seconds) from '{file}' "
        "where site_id = 'north' and worker_id = 'W01' and shift_date > '2026-02-21'"
    )
    lines = saved_file(people, "people-2026-02-22-to-2026-02-28.csv")
    heads = lines[0].split(";")
    assert heads[:5] == ["Worker", "Worker id", "Site", "Site id", "Shifts"]
    row = next(line.split(";") for line in lines if ";W01;" in line)
    assert row[heads.index("Utilization (%)")] == f"{100 * utilization:.1f}".replace(".", ",")
    heard = saved_file(health, "which-cameras-send-events.csv")
    assert any(",2026-02-28 17:50-06:00," in line for line in heard)


def test_paper_holds_every_row_and_says_what_was_chosen(settings: Settings, address: str) -> None:
    file = f"{settings.published_path}/worker_shifts.parquet"
    ((shifts,),) = read_rows(f"select count(*) from '{file}' where site_id = 'north' and worker_id = 'W01'")
    assert shifts > 15
    paper, screen, found = meet(
        address,
        Visit("/workers/north/W01/?period=all", media="print"),
        Visit("/workers/north/W01/?period=all"),
        Visit("/workers/?period=7&site=north&find.people=S9", media="print"),
    )
    assert len(table_of(paper, "Shift date", "Shift", "Time seen")) == shifts
    assert len(table_of(screen, "Shift date", "Shift", "Time seen")) == 15
    told = paper["text"].replace("\n", " ")
    assert "Floorhouse · W01: How did this person's time go?" in told
    assert "Site North plant" in told
    assert "Period 21 December 2025 to 28 February 2026" in told
    assert "Shift all shifts" in told
    assert "Only rows that match “S9”: 0 of 4." in found["text"]
    assert "Period" not in screen["text"].split("Utilization")[0].split("Reset")[-1]


def test_dates_tell_their_year_where_the_period_touches_two(address: str) -> None:
    boxes_of = (
        "return Array.from(document.querySelectorAll('[data-label]'), (one) => one.getBoundingClientRect().toJSON());"
    )
    long, short = meet(address, Visit("/?period=all", script=boxes_of), Visit("/"))
    assert "28 Feb 2026" in table_of(long, "Shift date", "Site")[0][0]
    assert "2026" not in table_of(short, "Shift date", "Site")[0][0]
    numbers = table_of(long, "Date", "Units, all stations")
    assert [row[0] for row in (numbers[0], numbers[-1])] == ["Sun, 21 Dec 2025", "Sat, 28 Feb 2026 (not over yet)"]
    assert len(numbers) == 70
    by_line: dict[float, list[tuple[float, float]]] = {}
    for box in long["answer"]:
        by_line.setdefault(box["top"], []).append((box["left"], box["right"]))
        assert 0 <= box["left"] < box["right"] <= 1440
    for boxes in by_line.values():
        boxes.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(boxes))


def test_names_are_in_the_order_that_people_expect(address: str) -> None:
    order = "return ['W10', 'W2', 'w1'].sort(new Intl.Collator(navigator.language, { numeric: true }).compare);"
    (page,) = meet(address, Visit("/workers/", script=order))
    shown = [row[0] for row in table_of(page, "Worker", "Site")]
    assert page["answer"] == ["w1", "W2", "W10"]
    assert shown == sorted(shown, key=lambda name: (name.lower(), name))


BOARD = """
    const all = (name) => Array.from(document.querySelectorAll(`[data-${name}]`));
    const texts = (name) => Object.fromEntries(all(name).map((one) => [one.dataset[name], one.innerText]));
    return {
        digits: all('board').map((one) => parseFloat(getComputedStyle(one).fontSize)),
        overlay: all('overlay')[0]?.innerText ?? '',
        board: texts('board'),
        tiles: texts('tile'),
    };
"""


def test_the_board_shows_the_running_shift_on_one_screen_in_digits_for_a_hall(settings: Settings, address: str) -> None:
    wall, later = meet(
        address,
        Visit("/board/south/", 1920, "wall", height=1080, script=BOARD, now="2026-02-28T23:00:00Z", fresh=True),
        Visit("/board/south/", 1920, "later", height=1080, script=BOARD, now="2026-03-01T00:00:00Z"),
    )
    file = f"{settings.published_path}/station_targets.parquet"
    ((made, so_far, whole),) = read_rows(
        f"select sum(units), sum(target_units_so_far), sum(target_units) from '{file}' "
        "where site_id = 'south' and shift_date = '2026-02-28' and shift_id = 'evening'"
    )
    assert wall["answer"]["board"] == {
        "made": f"{made:,}",
        "target": f"{so_far:,.0f}",
        "gap": f"−{so_far - made:,.0f}",
        "projected": f"{made * whole / so_far:,.0f}",
    }
    assert min(wall["answer"]["digits"]) >= 60
    assert (wall["scrollWidth"], wall["scrollHeight"]) == (1920, 1080)
    assert "nobody seen in this shift" in wall["answer"]["tiles"]["S9"]
    assert wall["answer"]["overlay"] == ""
    assert "No data for 60 min" in later["answer"]["overlay"]


def test_a_phone_that_asks_nothing_does_not_load_the_engine_and_a_station_is_remembered(address: str) -> None:
    mine, choice, plant = meet(
        address,
        Visit("/board/south/S1/", 390, "mine", script="await new Promise((go) => setTimeout(go, 1500));"),
        Visit("/board/", 390, "choice"),
        Visit("/", 390, "plant", script="await new Promise((go) => setTimeout(go, 1500));"),
    )
    for page in (mine, choice, plant):
        assert not [path for path in page["requests"] if path.endswith(".wasm")]
        assert page["scrollWidth"] == 390
    assert "My station: " in choice["text"]
    assert f"{urlsplit(address).scheme}://{urlsplit(address).netloc}/board/south/S1/" in choice["links"]


ASK = """
    const wait = async (check) => {
        for (let turn = 0; turn < 300 && !check(); turn++) await new Promise((go) => setTimeout(go, 50));
    };
    const told = () => document.querySelector('main [aria-live]').innerText;
    await wait(() => /rows?, as of|alert/.test(told()) || document.querySelector('main [role=alert]'));
"""
SAVE_PARQUET = (
    ASK
    + """
    let saved;
    URL.createObjectURL = (blob) => ((saved = blob), 'blob:none');
    HTMLAnchorElement.prototype.click = function () {};
    document.querySelector('button[aria-label="Answer as Parquet"]').click();
    await wait(() => saved);
    return Array.from(new Uint8Array(await saved.arrayBuffer()));
"""
)


def test_no_two_causes_of_a_loss_have_one_colour(address: str) -> None:
    colours = """
        const drawn = document.querySelector('.waterfall .track i');
        return Object.fromEntries(['unstaffed', 'idle', 'slow', 'gain', 'made'].map((name) => {
            const step = drawn.cloneNode();
            step.className = step.className.replace(drawn.classList[0], name);
            drawn.parentElement.append(step);
            return [name, getComputedStyle(step).backgroundColor];
        }));
    """
    for (page,) in (meet(address, Visit("/", script=colours, scheme=scheme)) for scheme in ("light", "dark")):
        found = page["answer"]
        assert found.pop("gain") == found["made"]  # both are units that were made
        assert len(set(found.values())) == 4, found


def test_a_site_that_records_nobody_says_so_on_the_page_of_people(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    publish_sample(settings, days=2, workers=2, stations=1)
    file = settings.published_path / "worker_shifts.parquet"
    read_rows(f"copy (from (from '{file}') where site_id = 'north') to '{file}.new' (format parquet)")
    Path(f"{file}.new").replace(file)
    with served(settings) as address:
        nobody, somebody = meet(address, Visit("/workers/?site=south"), Visit("/workers/?site=north"))
    assert "This site records nobody: the cameras report stations alone." in nobody["text"]
    assert "records nobody" not in somebody["text"]


def test_a_reader_asks_the_marts_in_sql_and_saves_the_answer(settings: Settings, address: str, tmp_path: Path) -> None:
    sql = "select site_id, shift_date, sum(units) as units, count(*) as n from site_shifts group by all order by all"
    asked = f"/ask/?sql={quote(sql)}"
    table, file, chart, long = meet(
        address,
        Visit(asked, script=ASK + SAVE, locale="de-DE"),
        Visit(asked, script=SAVE_PARQUET),
        Visit(f"/ask/?as=chart&sql={quote(sql.replace('site_id, ', ''))}", script=ASK),
        Visit(f"/ask/?as=chart&sql={quote('select range as x, range as y from range(401)')}", script=ASK),
    )
    published = read_rows(sql.replace("from site_shifts", f"from '{settings.published_path}/site_shifts.parquet'"))
    site, date, units, count = published[0]
    assert saved_file(table, "answer.csv")[1] == f"North plant;{site};{date};{units};{count}"
    assert len(table_of(table, "site_id", "shift_date", "units", "n")) == 50  # and the rest on demand
    (tmp_path / "answer.parquet").write_bytes(bytes(file["answer"]))
    assert read_rows(f"from '{tmp_path}/answer.parquet' order by all") == published
    assert (chart["charts"], long["charts"]) == (1, 0)
    assert "A chart draws at most 400 rows; this answer has more, so it is shown as a table." in long["text"]
    for page in (table, file, chart, long):
        assert page["consoleErrors"] == page["failedRequests"] == page["outsideRequests"] == []
    # everything that can be queried is described, and there is no table of people
    described = {row[0]: row[2] for rows in table["tables"] for row in rows if rows[0] == ["Column", "Type", "Meaning"]}
    assert described["shift_date"].startswith("The local date")
    assert "worker_id" not in described


OUTSIDE = "A question may only read the marts listed below, nothing else."
WRONG = {
    "select unts from site_shifts": 'Referenced column "unts" not found',
    "selec 1": "syntax error",
    "select * from worker_shifts": "worker_shifts does not exist",
    "from read_parquet('https://other.example/x.parquet')": OUTSIDE,
    "from 'https://other.example/x.csv'": OUTSIDE,
    "copy (select 1) to 'https://other.example/x.csv'": OUTSIDE,
    "set enable_external_access = true": "enable_external_access",
}


def test_a_wrong_question_is_one_sentence_and_no_question_reaches_anything_outside(address: str) -> None:
    told = ASK + "return Array.from(document.querySelectorAll('main [role=alert]'), (one) => one.innerText);"
    pages = meet(address, *(Visit(f"/ask/?sql={quote(sql)}", name=sql, script=told) for sql in WRONG))
    for page in pages:
        (sentence,) = page["answer"]
        assert WRONG[page["name"]] in sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert page["outsideRequests"] == page["failedRequests"] == page["consoleErrors"] == []
