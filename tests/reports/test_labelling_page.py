"""The labelling page in a real browser: from a click on a phone to `label_accuracy`, over a connection that breaks.

The recorder is a server of this test, so that the test sees which images the page may load.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import ReportError
from ingestion.intake.keys import hash_of
from reports.browser import find_chromium
from reports.node import find_node
from tests.ingestion.intake.running import running_intake
from tests.plant import Plant

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine"),
]

# One reviewer's sitting. Returns what the page showed and what the browser refused.
_SITTING = """
import { chromium } from 'playwright-core';
import { readFile } from 'node:fs/promises';
const { executablePath, address, other, key } = JSON.parse(await new Response(process.stdin).text());
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const found = { axe: {}, refused: [] };
const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true });
const page = await context.newPage();
page.on('console', (message) => /Content Security Policy/.test(message.text()) && found.refused.push(message.text()));
const left = async (queue) => Number(await page.innerText(`[data-queue=${queue}] b`));
const saved = () => page.waitForFunction(() => document.getElementById('saved').textContent === 'Everything is saved.');
const pause = () => page.waitForTimeout(450);
await page.goto(`${address}/label`);
await page.fill('#key', 'wrong');
await page.keyboard.press('Enter');
await page.waitForFunction(() => document.getElementById('told').textContent !== '');
found.wrongKey = await page.innerText('#told');
await page.fill('#key', key);
await page.keyboard.press('Enter');
await page.waitForSelector('#answers button');
found.reviewer = await page.innerText('#reviewer');
found.left = await left('review');
found.buttons = await page.locator('#answers button').allInnerTexts();
found.tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
const axe = await readFile(new URL('./node_modules/axe-core/axe.min.js', `file://${process.cwd()}/`), 'utf8');
for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.evaluate(axe);
    found.axe[scheme] = await page.evaluate(async () => (await axe.run(document)).violations.map((one) => one.id));
}
found.image = await page.evaluate(() => new Promise((resolve) => {
    const image = document.getElementById('image');
    if (image.complete) resolve(image.naturalWidth); else image.onload = () => resolve(image.naturalWidth);
}));
await page.evaluate((at) => {
    new Image().src = `${at}/image.png`;
    return fetch(`${at}/fetched`).catch(() => null);
}, other);
// 1: a double click is one label
await pause();
await page.dblclick('[data-answer=working]');
await saved();
found.afterDoubleClick = await left('review');
// 2: a key of the keyboard, held down, is one label
await pause();
await page.keyboard.down('2');
await page.keyboard.down('2');
await page.keyboard.up('2');
await saved();
// 3: cannot tell, then a changed mind
await pause();
await page.keyboard.press('5');
await pause();
await page.keyboard.press('b');
await pause();
await page.click('[data-answer=working]');
await saved();
found.afterChangedMind = await left('review');
// 4 and 5: the connection breaks, the page is closed and opened again
await context.setOffline(true);
await pause();
await page.keyboard.press('1');
await pause();
await page.keyboard.press('1');
found.offline = await page.innerText('#saved');
found.offlineLeft = await left('review');
await page.goto('about:blank');
await context.setOffline(false);
await page.goto(`${address}/label`);
await page.waitForSelector('#answers button');
await saved();
found.afterReload = await left('review');
await page.click('[data-queue=audit]');
await page.waitForFunction(() => document.querySelector('[data-queue=audit]').getAttribute('aria-pressed') === 'true');
await page.waitForSelector('[data-answer=nobody]');
found.audit = await left('audit');
found.question = await page.innerText('#scene');
found.states = await page.locator('#answers button').allInnerTexts();
await pause();
await page.keyboard.press('4');
await saved();
found.afterAudit = await left('audit');
await browser.close();
console.log(JSON.stringify(found));
"""


@contextmanager
def recorder() -> Iterator[tuple[str, list[str]]]:
    """A server of one-pixel images; gives its address and the paths that were asked."""
    asked: list[str] = []
    pixel = (
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
        b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
    )

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/gif")
            self.end_headers()
            self.wfile.write(pixel)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def sit(address: str, other: str, key: str) -> dict[str, Any]:
    """What the browser found in one sitting."""
    if not (ROOT / "reports/node_modules/axe-core").is_dir():
        pytest.skip("the report's npm packages are not installed")
    try:
        node = find_node()
    except ReportError as error:
        pytest.skip(str(error))
    order = {"executablePath": find_chromium(), "address": address, "other": other, "key": key}
    ended = subprocess.run(
        [node.node, "--input-type=module", "-e", _SITTING],
        input=json.dumps(order), capture_output=True, text=True, cwd=ROOT / "reports", check=False, timeout=300,
        env=node.environment({}),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_what_a_reviewer_clicks_on_a_phone_becomes_label_accuracy(tmp_path: Path) -> None:
    plant = Plant(tmp_path, review_fraction=1.0)
    events = [
        {
            "timestamp": f"2026-01-15T10:{minute:02}:00Z",
            "worker_id": '<img src=x onerror="document.title=1">',
            "workstation_id": "S106",  # of the hour from 10 on the instant 10:12:15 is drawn
            "camera_id": "gate/3",
            "event_type": "working",
            "confidence": 0.93,
            "model_name": "m",
        }
        for minute in range(7)
    ]
    plant.drop("events/a.jsonl", "".join(json.dumps(event) + "\n" for event in events))
    plant.batch()
    (tmp_path / "reviewers.csv").write_text(f"site_id,reviewer,key_sha256\n*,reviewer-1,{hash_of('secret')}\n")
    with (
        recorder() as (images, asked),
        recorder() as (other, never),
        running_intake(
            tmp_path, media_url=f"{images}/{{camera_id}}/{{timestamp}}.jpg", reviewers_file=tmp_path / "reviewers.csv"
        ) as intake,
    ):
        found = sit(f"http://127.0.0.1:{intake.port}", other, "secret")
    assert "no reviewer's key" in found["wrongKey"]
    assert found["reviewer"] == "Reviewer reviewer-1"
    assert found["buttons"] == ["1 Working", "2 Idle", "3 Absent", "4 Product", "5 Cannot tell"]
    assert found["axe"] == {"light": [], "dark": []}
    assert not found["tooWide"]
    # The recorder's image is shown, percent-encoded; the browser asks no other server, for an image or otherwise.
    assert found["image"] == 1
    assert asked[0].startswith("/gate%2F3/2026-01-15T10%3A0")
    assert never == []
    assert len(found["refused"]) >= 2
    counts = ("left", "afterDoubleClick", "afterChangedMind", "offlineLeft", "afterReload")
    assert [found[name] for name in counts] == [7, 6, 4, 2, 2]
    assert found["offline"].startswith("2 not saved yet")
    # An audit is asked without what was reported, and without an image that no camera is named for.
    assert found["states"] == ["1 Working", "2 Idle", "3 Absent", "4 Nobody", "5 Cannot tell"]
    assert "What happens at S106?" in found["question"]
    assert "2026-01-15T10:12:14Z)" in found["question"]
    assert "Reported" not in found["question"]
    assert (found["audit"], found["afterAudit"]) == (1, 0)
    (drawn,) = plant.mart("audit_queue")
    assert (drawn["reported_state"], drawn["inclusion_probability"]) == ("working", 1 / 16)
    assert plant.mart("audited_instants") == []
    plant.batch(datetime.now(UTC))
    (audited,) = plant.mart("audited_instants")
    assert (audited["audit_key"], audited["true_state"]) == (drawn["audit_key"], "nobody")
    (accuracy,) = plant.mart("label_accuracy")
    assert (accuracy["labelled_events"], accuracy["correct_events"]) == (5, 4)
