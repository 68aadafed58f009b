"""Alerts reach a real webhook, a real mail server and the file, each once, despite refusals, restarts and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import SettingsError
from ingestion.settings import Settings
from quality.alerts.deliver import deliver
from quality.alerts.messages import messages_of
from quality.alerts.outbox import LONGEST_WAIT_SECONDS, AlertQueue, wait_seconds
from quality.alerts.settings import AlertSettings, read_alert_settings
from quality.checks.results import Cell
from quality.incidents.incident import PAGE, Incident
from quality.store import make_tables, replace_incidents
from tests.quality.alerts.receivers import Garbage, MailServer, Webhook, running

AT = datetime(2026, 1, 20, 6, tzinfo=UTC)
OPEN = Incident(
    "0123456789abcdef",
    "confidence_drift",
    Cell("north", "cam <1> & co"),
    AT,
    None,
    date(2026, 1, 17),
    date(2026, 1, 19),
    "warning",
    "Site north, camera cam <1> & co: mean confidence is 0.80.",
)
CLOSED = replace(OPEN, closed_at=AT + timedelta(days=4), closing_sentence="Over after 3 days without evidence.")


def test_the_page_of_an_alert_lists_the_incidents() -> None:
    page = Path(__file__).parents[3] / "reports/pages" / f"{PAGE.rstrip('/')}.md"
    assert 'ask="incidents"' in page.read_text()


def publish(settings: Settings, *incidents: Incident) -> None:
    settings.published_path.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        make_tables(connection)
        replace_incidents(connection, incidents, AT + timedelta(days=30))
        connection.execute(f"copy marts.incidents to '{settings.published_path}/incidents.parquet'")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, site_url="https://floor.example/report")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running(Webhook()) as server:
        yield server


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with running(MailServer()) as server:
        yield server


@pytest.fixture
def environment(webhook: Webhook, mail_server: MailServer) -> dict[str, str]:
    return {
        "FLOORHOUSE_ALERT_WEBHOOK_URL": webhook.url,
        "FLOORHOUSE_ALERT_SMTP_HOST": "127.0.0.1",
        "FLOORHOUSE_ALERT_SMTP_PORT": str(mail_server.server_address[1]),
        "FLOORHOUSE_ALERT_SMTP_SECURITY": "none",
        "FLOORHOUSE_ALERT_MAIL_FROM": "floor@plant.example",
        "FLOORHOUSE_ALERT_MAIL_TO": "ops@plant.example",
    }


@pytest.fixture
def alerts(environment: dict[str, str]) -> AlertSettings:
    return read_alert_settings(environment)


def test_an_opening_and_a_closing_reach_every_sink_once_with_the_page_that_shows_them(
    settings: Settings, alerts: AlertSettings, webhook: Webhook, mail_server: MailServer
) -> None:
    publish(settings, OPEN)
    assert deliver(settings, alerts, now=0).sent == 3
    assert deliver(settings, alerts, now=1).sent == 0
    publish(settings, CLOSED)
    assert deliver(settings, alerts, now=2).sent == 3
    assert deliver(settings, alerts, now=3).sent == 0

    assert webhook.keys == ["0123456789abcdef-opened", "0123456789abcdef-closed"]
    assert f"<https://floor.example/report/{PAGE}>" in webhook.taken[0]["text"]
    assert "cam &lt;1&gt; &amp; co" in webhook.taken[0]["text"]
    opened, closed = mail_server.mails
    assert opened["Message-ID"] == "<0123456789abcdef-opened@floorhouse>"
    assert (opened["To"], opened["From"]) == ("ops@plant.example", "floor@plant.example")
    assert "mean confidence is 0.80" in opened.get_payload()
    assert "Over after 3 days" in closed.get_payload()
    lines = [line.split("\t") for line in settings.alerts_path.read_text().splitlines()]
    assert [(line[1], line[2], line[3], line[7]) for line in lines] == [
        ("warning", "opened", "confidence_drift", "0123456789abcdef-opened"),
        ("warning", "closed", "confidence_drift", "0123456789abcdef-closed"),
    ]


def test_a_sink_that_refuses_is_retried_later_and_the_others_get_no_second_message(
    settings: Settings, alerts: AlertSettings, webhook: Webhook, mail_server: MailServer
) -> None:
    publish(settings, OPEN)
    webhook.status, mail_server.refuses = 500, True
    first = deliver(settings, alerts, now=1000)
    assert (first.sent, first.waiting) == (1, 1)
    assert deliver(settings, alerts, now=1001).sent == 0  # its retry is not due yet
    webhook.status = 200
    assert deliver(settings, alerts, now=1000 + wait_seconds(1)).sent == 1
    mail_server.refuses = False
    assert deliver(settings, alerts, now=1000 + 10 * LONGEST_WAIT_SECONDS).sent == 1
    assert (len(webhook.taken), len(mail_server.mails)) == (1, 1)
    assert len(settings.alerts_path.read_text().splitlines()) == 1


def test_the_message_about_a_failure_does_not_contain_the_webhooks_address(
    settings: Settings, alerts: AlertSettings, webhook: Webhook
) -> None:
    publish(settings, OPEN)
    webhook.status = 307  # redirects are not followed
    problems = " ".join(deliver(settings, alerts, now=0).problems)
    assert "answered 307" in problems
    assert "a-secret-path" not in problems
    assert "a-secret-path" not in repr(alerts)
    assert all("a-secret-path" not in path.read_text() for path in settings.alerts_folder.glob("*.json"))


_KILLED = """
import os, signal, sys
from pathlib import Path
from ingestion.settings import Settings
from quality.alerts import deliver, outbox, sinks
from quality.alerts.settings import read_alert_settings

name, moment = sys.argv[2:]
target = {"take": outbox.AlertQueue, "sink": sinks, "write": outbox.AlertQueue}[name]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "before":
    setattr(target, {"take": "take", "sink": "append_line", "write": "write"}[name], die)
else:
    inner = getattr(target, {"take": "take", "sink": "append_line", "write": "write"}[name])
    def then_die(*arguments):
        inner(*arguments)
        die()
    setattr(target, {"take": "take", "sink": "append_line", "write": "write"}[name], then_die)
deliver.deliver(Settings(data_dir=Path(sys.argv[1])), read_alert_settings(), 0.0)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["take", "sink", "write"])
def test_a_process_killed_at_any_step_loses_nothing_and_writes_no_line_twice(
    settings: Settings, environment: dict[str, str], webhook: Webhook, step: str, moment: str
) -> None:
    publish(settings, OPEN)
    only_file_and_webhook = {"FLOORHOUSE_ALERT_WEBHOOK_URL": environment["FLOORHOUSE_ALERT_WEBHOOK_URL"]}
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(settings.data_dir), step, moment],
        env={**os.environ, **only_file_and_webhook},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    deliver(settings, read_alert_settings(only_file_and_webhook), now=100_000)
    deliver(settings, read_alert_settings(only_file_and_webhook), now=200_000)
    assert webhook.keys == ["0123456789abcdef-opened"]
    assert len(settings.alerts_path.read_text().splitlines()) == 1
    assert AlertQueue(settings.alerts_folder).pending() == []


def test_two_processes_at_once_send_one_message(settings: Settings, alerts: AlertSettings, webhook: Webhook) -> None:
    publish(settings, OPEN)
    with AlertQueue(settings.alerts_folder).lock() as is_ours:
        assert is_ours
        assert deliver(settings, alerts, now=0).sent == 0
    deliver(settings, alerts, now=1)
    assert len(webhook.taken) == 1


THREE = [replace(OPEN, incident_id=f"{number:016x}", cell=Cell(f"site {number}")) for number in range(3)]


def waiting_for(settings: Settings) -> list[tuple[list[str], str, bool]]:
    entries = AlertQueue(settings.alerts_folder).pending()
    return [(entry.waiting, entry.last_error, entry.not_before > 0) for entry in entries]


@pytest.mark.parametrize(
    ("variable", "value", "sink", "reason"),
    [
        ("WEBHOOK_URL", "garbage", "webhook", "the webhook at 127.0.0.1 gave an answer that is no HTTP"),
        ("WEBHOOK_URL", "garbage with a blank", "webhook", "the webhook at 127.0.0.1 gave an answer that is no HTTP"),
        ("WEBHOOK_URL", "http://pr\u00fcfer..invalid/", "webhook", "can have this name"),
        ("WEBHOOK_URL", f"http://{'x' * 64}.invalid/", "webhook", "can have this name"),
        ("SMTP_HOST", "mail..invalid", "mail", "the mail server mail..invalid cannot be reached: no machine can"),
        ("MAIL_TO", "x\u00fc@plant.example", "mail", "the mail server 127.0.0.1 did not take it"),
    ],
)
def test_what_one_sink_does_is_its_own_trouble(
    settings: Settings,
    environment: dict[str, str],
    webhook: Webhook,
    mail_server: MailServer,
    variable: str,
    value: str,
    sink: str,
    reason: str,
) -> None:
    publish(settings, *THREE)
    with running(Garbage(b"\x00\x01 no HTTP\r\n\r\n")) as garbage:
        value = {"garbage": garbage.url, "garbage with a blank": f"{garbage.url}/a b"}.get(value, value)
        delivery = deliver(settings, read_alert_settings({**environment, f"FLOORHOUSE_ALERT_{variable}": value}), 1000)
    assert len(settings.alerts_path.read_text().splitlines()) == 3
    well = mail_server.mails if sink == "webhook" else webhook.taken
    assert (len(well), delivery.sent, delivery.waiting) == (3, 6, 3)
    assert [(names, at) for names, _, at in waiting_for(settings)] == [([sink], True)] * 3
    assert all(reason in told and "secret" not in told for _, told, _ in waiting_for(settings))


def test_a_sink_that_swallows_connections_costs_one_time_out_and_the_others_nothing(
    settings: Settings, environment: dict[str, str], mail_server: MailServer
) -> None:
    publish(settings, *(replace(OPEN, incident_id=f"{number:016x}") for number in range(30)))
    with running(Garbage(b"")) as swallowing:
        changed = {"FLOORHOUSE_ALERT_WEBHOOK_URL": swallowing.url, "FLOORHOUSE_ALERT_TIMEOUT_SECONDS": "0.5"}
        delivery = deliver(settings, read_alert_settings({**environment, **changed}), 1000)
        assert swallowing.connections == 1
    assert (delivery.sent, delivery.waiting, len(mail_server.mails)) == (60, 30, 30)
    assert len(settings.alerts_path.read_text().splitlines()) == 30
    assert waiting_for(settings) == [(["webhook"], "the webhook at 127.0.0.1 did not answer in time", True)] * 30


def test_a_password_with_any_letter_logs_in_and_is_never_told(
    settings: Settings, environment: dict[str, str], mail_server: MailServer
) -> None:
    publish(settings, *THREE)
    login = {"FLOORHOUSE_ALERT_SMTP_USER": "plant", "FLOORHOUSE_ALERT_SMTP_PASSWORD": "Pr\u00fcfwort"}
    assert deliver(settings, read_alert_settings({**environment, **login}), 1000).waiting == 0
    assert mail_server.logins == ["\0plant\0Pr\u00fcfwort".encode()] * 3
    assert len(mail_server.mails) == 3


def test_recipients_stand_alone_and_one_that_is_refused_is_told_beside_the_others(
    settings: Settings, environment: dict[str, str], mail_server: MailServer
) -> None:
    publish(settings, OPEN)
    mail_server.refused_recipient = "gone@plant.example"
    both = {"FLOORHOUSE_ALERT_MAIL_TO": "ops@plant.example; gone@plant.example"}
    delivery = deliver(settings, read_alert_settings({**environment, **both}), 1000)
    assert delivery.waiting == 0
    assert delivery.problems == ("the mail server 127.0.0.1 takes no mail for gone@plant.example",)
    assert len(mail_server.mails) == 1
    with pytest.raises(SettingsError, match=r"^FLOORHOUSE_ALERT_MAIL_TO is 'ops@plant\.example; lead'; allowed"):
        read_alert_settings({**environment, "FLOORHOUSE_ALERT_MAIL_TO": "ops@plant.example; lead"})


def test_a_webhook_that_asks_for_patience_gets_it_and_a_clock_that_jumped_back_waits_no_year(
    settings: Settings, alerts: AlertSettings, webhook: Webhook
) -> None:
    publish(settings, *THREE)
    webhook.status, webhook.retry_after = 429, "120"
    deliver(settings, alerts, now=1000)
    webhook.status = 200
    assert deliver(settings, alerts, now=1000 + 119).sent == 0
    assert deliver(settings, alerts, now=1000 + 120).sent == 3
    publish(settings, *(replace(CLOSED, incident_id=one.incident_id) for one in THREE))
    webhook.status, webhook.retry_after = 503, ""
    year = 365 * 86_400.0
    deliver(settings, alerts, now=year)
    webhook.status = 200
    assert deliver(settings, alerts, now=5000).sent == 3


def test_an_incident_that_was_over_long_ago_is_history_and_nobody_is_called() -> None:
    row = {name: getattr(CLOSED, name) for name in Incident.__slots__ if name != "cell"}
    row |= {"status": "closed", "site_id": "north", "cell": "site north", "page": PAGE}
    assert messages_of(row, AT + timedelta(days=60), "http://x") == []
    assert [one.transition for one in messages_of(row, AT + timedelta(days=5), "http://x")] == ["opened", "closed"]


def test_waits_double_up_to_an_hour() -> None:
    assert [wait_seconds(count) for count in (1, 2, 3, 40)] == [30, 60, 120, 3600]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WEBHOOK_URL", "ftp://x"),
        ("WEBHOOK_URL", "http://h:99999/"),
        ("WEBHOOK_URL", "https:///x"),
        ("SMTP_PORT", "0"),
        ("SMTP_SECURITY", "some"),
        ("SMTP_HOST", "mail.example"),
    ],
)
def test_a_bad_setting_is_one_sentence(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=r"^FLOORHOUSE_ALERT_\w+ is .*; allowed: .*\.$"):
        read_alert_settings({f"FLOORHOUSE_ALERT_{variable}": value})
