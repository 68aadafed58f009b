"""What a web page elsewhere can do through the browser of somebody who may read the report, send events or use Dagster.

The pages are opened in a real browser, which finds the attacker's names where the attacker wants: on this machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import ReportError
from reports.browser import find_chromium
from reports.node import find_node
from reports.serve import open_server
from tests.ingestion.intake.running import event, running_intake

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine"),
]

# Opens a page at an address, runs a script there, and returns the result. Every name of `.example` is this machine.
_DRIVER = """
import { chromium } from 'playwright-core';
const order = JSON.parse(await new Response(process.stdin).text());
const browser = await chromium.launch({ executablePath: order.chromium, args: ['--no-sandbox', '--disable-gpu',
    '--host-resolver-rules=MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'] });
const met = [];
for (const { address, script } of order.visits) {
    const page = await browser.newPage();
    const answer = await page.goto(address);
    const found = { status: answer.status(), text: await page.innerText('body') };
    try {
        found.result = await page.evaluate(`(async () => { ${script} })()`);
    } catch (error) {
        found.error = String(error);
    }
    met.push(found);
    await page.close();
}
await browser.close();
console.log(JSON.stringify(met));
"""


def visit(*visits: tuple[str, str]) -> list[dict[str, Any]]:
    """Open each address in the browser and run a script there."""
    modules = ROOT / "reports/node_modules/playwright-core"
    if not modules.is_dir():
        pytest.skip("the report's npm packages are not installed")
    try:
        node = find_node()
    except ReportError as error:
        pytest.skip(str(error))
    order = {"chromium": find_chromium(), "visits": [{"address": at, "script": script} for at, script in visits]}
    ended = subprocess.run(
        [node.node, "--input-type=module", "-e", _DRIVER],
        input=json.dumps(order), capture_output=True, text=True, cwd=ROOT / "reports", check=False, timeout=300,
        env=node.environment({}),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    met: list[dict[str, Any]] = json.loads(ended.stdout)
    return met


@contextmanager
def elsewhere() -> Iterator[int]:
    """The attacker's own server: an empty page."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><body>the attacker's page</body>")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


# Try to read in every way that a page can, and return what could be read.
READ = """
    const got = [];
    try { got.push(await (await fetch(TARGET)).text()); } catch {}
    try { const answer = await fetch(TARGET, {{ mode: 'no-cors' }}); got.push(await answer.text()); } catch {}
    await new Promise((go) => {{
        const script = document.createElement('script');
        script.src = TARGET; script.onload = () => {{ got.push('loaded as a script'); go(); }}; script.onerror = go;
        document.body.append(script);
    }});
    return got.filter(Boolean);
"""
POST = """
    const kinds = [
        {{ method: 'POST', mode: 'no-cors', headers: {{ 'Content-Type': 'text/plain' }}, body: BODY }},
        {{ method: 'POST', headers: {{ 'Content-Type': 'application/json' }}, body: BODY }},
    ];
    const got = typeof socket === 'undefined' ? [] : [socket];
    for (const kind of kinds) try {{ got.push((await fetch(TARGET, kind)).status); }} catch {{ got.push('failed'); }}
    await new Promise((go) => {{
        const frame = Object.assign(document.createElement('iframe'), {{ name: 'frame' }});
        const form = Object.assign(document.createElement('form'), {{
            action: TARGET, method: 'POST', enctype: 'text/plain', target: 'frame' }});
        form.append(Object.assign(document.createElement('input'), {{ name: BODY, value: '' }}));
        document.body.append(frame, form);
        frame.onload = go; form.submit(); setTimeout(go, 5000);
    }});
    return got;
"""


MUTATION = 'mutation { setConcurrencyLimit(concurrencyKey: "forged", limit: 7) }'
KNOWN_LIMITS = "{ instance { concurrencyLimits { concurrencyKey } } }"
ASK = """
    const headers = {{ 'Content-Type': 'application/json' }};
    return await (await fetch(TARGET, {{ method: 'POST', headers, body: BODY }})).text();
"""
MUTATE_BY_ADDRESS = """
    const question = encodeURIComponent(JSON.parse(BODY).query);
    await fetch(TARGET + '?query=' + question, {{ mode: 'no-cors' }}).catch(() => 0);
"""
OPEN_SOCKET = """
    const socket = await new Promise((go) => {{
        const opened = new WebSocket(TARGET.replace('http', 'ws'), 'graphql-ws');
        opened.onopen = () => go('open');
        opened.onerror = () => go('closed');
    }});
"""


def script(template: str, target: str, body: str = "") -> str:
    text = template.replace("{{", "{").replace("}}", "}")
    return text.replace("TARGET", json.dumps(target)).replace("BODY", json.dumps(body))


def test_the_report_is_read_by_its_own_pages_only(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><body>the report</body>")
    (tmp_path / "data/manifest.json").write_text('{"secret": 1}')
    (tmp_path / "secret.js").write_text("let secret = 1;")
    with elsewhere() as attacker, open_server(tmp_path, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        own, rebound, foreign, other_port = visit(
            (server.address, script(READ, "/data/manifest.json")),
            (f"http://rebound.example:{server.server_port}/", script(READ, "/data/manifest.json")),
            (f"http://elsewhere.example:{attacker}/", script(READ, f"{server.address}secret.js")),
            (f"http://127.0.0.1:{attacker}/", script(READ, f"{server.address}secret.js")),
        )
        server.shutdown()
        thread.join()
    assert own["text"] == "the report"
    assert '{"secret": 1}' in own["result"]
    assert rebound["status"] == 421
    assert "the report" not in rebound["text"]
    assert "secret" not in json.dumps(rebound.get("result", []))
    assert foreign["text"] == other_port["text"] == "the attacker's page"
    assert foreign["result"] == other_port["result"] == []


def test_the_intake_takes_events_from_its_own_page_only(tmp_path: Path) -> None:
    body = json.dumps(event(camera_id="forged"))
    with elsewhere() as attacker, running_intake(tmp_path, allowed_hosts="") as intake:
        own = f"http://127.0.0.1:{intake.port}"
        post = script(POST, f"{own}/api/events", body)
        ways = (f"http://elsewhere.example:{attacker}/", f"http://rebound.example:{intake.port}/docs")
        foreign, rebound = visit((ways[0], post), (ways[1], script(POST, "/api/events", body)))
        assert intake.stored_lines() == []
        assert intake.request("GET", "/health").json["accepted_events"] == 0
        sent = f"return (await fetch('/api/events', {{ method: 'POST', body: {json.dumps(body)} }})).status;"
        (page,) = visit((f"{own}/docs", sent))
        assert page["result"] == 201
        assert len(intake.stored_lines()) == 1
    assert foreign["text"] == "the attacker's page"
    assert rebound["status"] == 421


@pytest.mark.slow
def test_dagster_is_steered_by_its_own_pages_only(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOORHOUSE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.commands.web", "--port", "0"],
        cwd=ROOT, env={**environment, "FLOORHOUSE_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        # Dagster's own processes print too, before and after.
        found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stdout)
        address = next(filter(None, found), None)
        assert address is not None
        threading.Thread(target=process.stdout.read, daemon=True).start()
        own, port = address[0], address[0].rpartition(":")[2]
        attack = script(MUTATE_BY_ADDRESS + OPEN_SOCKET + POST, f"{own}/graphql", json.dumps({"query": MUTATION}))
        with elsewhere() as attacker:
            foreign, rebound, before, after, own_socket = visit(
                (f"http://elsewhere.example:{attacker}/", attack),
                (f"http://rebound.example:{port}/", script(ASK, "/graphql", json.dumps({"query": MUTATION}))),
                (f"{own}/server_info", script(ASK, "/graphql", json.dumps({"query": KNOWN_LIMITS}))),
                (f"{own}/server_info", script(ASK, "/graphql", json.dumps({"query": MUTATION}))),
                (f"{own}/server_info", script(OPEN_SOCKET, f"{own}/graphql") + "return socket;"),
            )
    finally:
        process.terminate()
        process.wait(timeout=120)
    assert foreign["text"] == "the attacker's page"
    assert "open" not in foreign["result"]
    assert rebound["status"] == 421
    assert "forged" not in json.dumps([rebound, before])
    assert "concurrencyLimits" in before["result"]
    assert json.loads(after["result"])["data"] == {"setConcurrencyLimit": True}  # the change that the attacks attempted
    assert own_socket["result"] == "open"
