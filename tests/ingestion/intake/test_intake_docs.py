"""The API description is complete and correct, and is shown without a request to another server."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reports.browser import find_chromium
from tests.ingestion.intake.running import RunningIntake, event

FILES = ("/docs", "/docs/page.js", "/docs/page.css")


def test_the_page_names_no_address_outside_of_its_server(intake: RunningIntake) -> None:
    for path in FILES:
        answer = intake.request("GET", path)
        assert answer.status == 200
        assert not re.search(rb"https?:|[\"'(]//|@import|url\(", answer.content), path


def test_the_policy_makes_the_browser_refuse_requests_to_other_servers(intake: RunningIntake) -> None:
    policy = intake.request("GET", "/docs").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert not re.search("https?:|unsafe", policy)


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine")
def test_a_browser_shows_every_route_and_asks_no_other_server(intake: RunningIntake, tmp_path: Path) -> None:
    chromium = find_chromium()
    assert chromium is not None
    log = tmp_path / "net-log.json"
    shown = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *("--disable-component-update", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
            *("--virtual-time-budget=10000", f"--log-net-log={log}", "--dump-dom"),
            f"http://127.0.0.1:{intake.port}/docs",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    for path, methods in intake.request("GET", "/openapi.json").json["paths"].items():
        for method in methods:
            assert f"{method.upper()}</span> <code>{path}</code>" in shown
    assert "workstation_id" in shown
    assert shown.count("<form>") == 3
    assert "Send</button>" in shown
    assert "undefined" not in shown
    assert "The description cannot be shown" not in shown
    text = log.read_text()
    events = json.loads(text if text.rstrip().endswith("}") else text.rstrip().rstrip(",") + "]}")["events"]
    own = f"http://127.0.0.1:{intake.port}"
    # The browser also asks its maker for updates; requests of the page have the page as their initiator.
    asked = [one["params"] for one in events if one.get("params", {}).get("initiator") == own]
    assert {urlsplit(one["url"]).path for one in asked} >= {"/docs/page.js", "/docs/page.css", "/openapi.json"}
    assert [one["url"] for one in asked if not one["url"].startswith((f"{own}/", "data:"))] == []


def test_the_described_fields_are_the_fields_of_the_real_answers(intake: RunningIntake) -> None:
    schemas = intake.request("GET", "/openapi.json").json["components"]["schemas"]
    single = intake.post("/api/events", event()).json
    assert list(schemas["AcceptedEvent"]["properties"]) == ["id", *(name for name in single if name != "id")]
    batch = intake.post("/api/events/batch", [event(), {}]).json
    assert list(schemas["BatchAnswer"]["properties"]) == list(batch)
    assert {name for one in batch["results"] for name in one} == set(schemas["RecordResult"]["properties"])
    assert list(schemas["Refusal"]["properties"]) == list(intake.post("/api/events", {}).json)


def test_the_example_of_the_description_is_accepted(intake: RunningIntake) -> None:
    described = intake.request("GET", "/openapi.json").json
    assert intake.post("/api/events", described["components"]["schemas"]["EventRecord"]["example"]).status == 201


def test_every_status_that_a_post_can_have_is_described(intake: RunningIntake) -> None:
    paths = intake.request("GET", "/openapi.json").json["paths"]
    expected = {"201", "400", "401", "403", "408", "413", "415", "422", "429", "503"}
    assert set(paths["/api/events"]["post"]["responses"]) == expected
    assert set(paths["/api/events/batch"]["post"]["responses"]) == expected | {"207"}
