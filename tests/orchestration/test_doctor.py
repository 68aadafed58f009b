"""`floorhouse doctor` and `floorhouse settings`: what they print about a healthy plant and about faults."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from floorhouse.program import main
from ingestion.bucket import open_bucket
from ingestion.bucket.rewriting import every_object
from ingestion.errors import BucketError
from ingestion.settings import Settings
from orchestration.health import machine, places
from orchestration.health.finding import Finding, look_at, show
from tests.s3_server import BUCKET

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def sentences(findings: Iterator[Finding]) -> dict[str, bool]:
    """Each finding's sentence, and whether it is fine."""
    return {one.sentence: one.is_fine for one in findings}


def test_settings_are_shown_with_value_source_and_meaning_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "a key that is long enough for a plant"
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FLOORHOUSE_PSEUDONYM_KEY", secret)
    (tmp_path / "floorhouse.toml").write_text("min_group = 7\n[alert]\nsmtp_password = 'hidden too'\n")

    assert main(["settings", "--json"]) == 0
    shown = capfd.readouterr().out
    settings = {one["name"]: one for one in json.loads(shown)}
    found = {
        name.removeprefix("FLOORHOUSE_"): (settings[name]["value"], settings[name]["source"])
        for name in ("FLOORHOUSE_DATA_DIR", "FLOORHOUSE_MIN_GROUP", "FLOORHOUSE_PSEUDONYM_KEY",
                     "FLOORHOUSE_ALERT_SMTP_PASSWORD", "FLOORHOUSE_INTAKE_PORT", "FLOORHOUSE_MAX_STATE_MINUTES")
    }  # fmt: skip
    assert found == {
        "DATA_DIR": (str(tmp_path), "environment"),
        "MIN_GROUP": (7, "floorhouse.toml"),
        "PSEUDONYM_KEY": ("set, not shown", "environment"),
        "ALERT_SMTP_PASSWORD": ("set, not shown", "floorhouse.toml"),
        "INTAKE_PORT": (8090, "default"),
        "MAX_STATE_MINUTES": (None, "default"),
    }
    assert all(one["meaning"].endswith(".") and one["allowed"] for one in settings.values())

    assert main(["settings"]) == 0
    text = capfd.readouterr().out
    assert "FLOORHOUSE_MIN_GROUP = 7  (floorhouse.toml)\n    With aggregate, figures about fewer" in text
    assert secret not in shown + text
    assert "hidden too" not in shown + text


def test_a_machine_that_is_well_has_only_fine_lines_and_the_bucket_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(machine, "TIGHT_BYTES", 0)
    monkeypatch.setattr(machine, "REPORT_PORT", 0)
    monkeypatch.setattr(machine, "DAGSTER_PORT", 0)
    monkeypatch.setenv("FLOORHOUSE_INTAKE_PORT", "0")
    tmp_path.chmod(0o750)
    (tmp_path / "landing" / "events").mkdir(parents=True)
    assert main(["doctor"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert all(line.startswith("fine  ") for line in lines)
    subjects = {line[6:18].strip() for line in lines}
    assert subjects == {"settings", "data folder", "bucket", "clock", "disk", "versions", "time zones"}
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "landing",
        "landing/events",
    ]


def test_wrong_settings_are_one_line_each_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FLOORHOUSE_MIN_GROUP", "1")
    monkeypatch.setenv("FLOORHOUSE_ALERT_SMTP_PORT", "0")
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capfd.readouterr().out)
    wrong = [one["sentence"] for one in found if not one["is_fine"]]
    assert [sentence.partition(" is ")[0] for sentence in wrong] == [
        "FLOORHOUSE_MIN_GROUP",
        "FLOORHOUSE_ALERT_SMTP_PORT",
    ]


def test_a_bucket_server_is_probed_and_its_clock_compared(
    s3_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(data_dir=tmp_path, landing_url=f"s3://{BUCKET}/{tmp_path.name}")
    found = sentences(places.bucket(settings))
    assert list(every_object(open_bucket(settings.landing_url))) == []
    assert found == {
        f"{settings.landing_url} can be listed, written, read and cleared.": True,
        "It agrees with the bucket server's.": True,
    }


def test_clocks_that_stand_apart_are_told_of_with_the_direction(tmp_path: Path) -> None:
    apart = places._clocks(NOW + timedelta(hours=1), NOW, NOW)
    assert apart.sentence.startswith("This machine's clock is 3,600 s behind the bucket server's")
    assert not apart.is_fine
    assert "ahead of" in places._clocks(NOW - timedelta(hours=1), NOW, NOW).sentence
    assert places._clocks(NOW, NOW - timedelta(seconds=1), NOW).is_fine
    settings = Settings(data_dir=tmp_path)
    version = tmp_path / f"{int((NOW + timedelta(days=2)).timestamp() * 1e9):020d}-build"
    version.mkdir()
    settings.published_path.symlink_to(version)
    assert "figures were published at 2026-03-03 00:00 UTC; set the clock" in places.clock(settings, NOW).sentence
    assert places.clock(settings, NOW + timedelta(days=3)).is_fine


def test_a_bucket_that_was_there_and_is_gone_is_told_of(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert [one.is_fine for one in places.bucket(settings)] == [True]  # a new plant
    settings.warehouse_path.touch()
    with pytest.raises(BucketError):
        list(places.bucket(settings))


def test_a_folder_or_a_key_that_others_can_read_is_told_of_with_the_mode_to_set(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = sentences(places.data_folder(Settings(data_dir=tmp_path)))
    assert found == {
        f"{tmp_path} is open to more users than group (mode 0755); the next batch closes it, or chmod 0750.": False
    }
    key = tmp_path / "key"
    key.touch()
    key.chmod(0o644)
    assert sentences(places.keys([key])) == {f"{key} is open to other users (mode 0644); chmod 0640.": False}
    key.chmod(0o400)
    assert sentences(places.keys([key])) == {f"{key} is closed to other users (mode 0400).": True}
    assert not any(sentences(places.keys([tmp_path / "none"])).values())


def test_a_full_disk_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "TIGHT_SHARE", 1.1)
    monkeypatch.setattr(machine, "TIGHT_BYTES", 1 << 60)
    [finding] = machine.disk(tmp_path / "not there yet")
    assert finding.sentence.endswith("GB are free; free some space.")
    assert not finding.is_fine


def test_a_taken_port_is_fine_only_if_its_own_program_answers_there() -> None:
    class Report(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html><title>Floorhouse</title>")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Report)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    with server:
        assert sentences(machine.ports({"report": port})) == {"The report answers there.": True}
        assert sentences(machine.ports({"Dagster": port})) == {
            "Another program has it (Address already in use); start Dagster with --port and another one.": False
        }
        server.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert sentences(machine.ports({"intake": port})) == {"It is free for the intake.": True}


def test_a_package_of_another_version_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "requires", lambda _: ["duckdb==1.0", "no-such-package>=1", "typer"])
    [finding] = machine.versions()
    assert "duckdb is 2" in finding.sentence
    assert "and not ==1.0, no-such-package is missing: make setup installs what is locked." in finding.sentence
    assert not finding.is_fine


def test_zones_that_two_databases_disagree_about_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.is_fine for one in machine.time_zones(["Europe/Berlin", "Asia/Kolkata", "UTC"], 2026)] == [True]
    monkeypatch.setattr(machine, "ZoneInfo", lambda _: UTC)
    [finding] = machine.time_zones(["Europe/Berlin"], 2026)
    assert "differs from it about Europe/Berlin in 2026 or 2027" in finding.sentence
    assert not finding.is_fine


def test_a_look_is_bounded_in_time_and_one_that_fails_is_a_finding(capfd: pytest.CaptureFixture[str]) -> None:
    def failing() -> list[Finding]:
        raise KeyError("unheard of")

    def sleeping() -> list[Finding]:
        time.sleep(5)
        return []

    slow = look_at("slow", sleeping, 0.05)
    assert [one.sentence for one in slow] == ["There was no answer within 0.05 seconds."]
    failed = look_at("failing", failing, 5)
    assert [one.sentence for one in failed] == ["This cannot be told (KeyError: 'unheard of')."]
    assert show([Finding("well", "It is."), *slow], "MEND", as_json=False) == 1
    assert capfd.readouterr().out.splitlines() == [
        "fine  well  It is.", "MEND  slow  There was no answer within 0.05 seconds."
    ]  # fmt: skip
