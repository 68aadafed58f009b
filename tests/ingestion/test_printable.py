"""No name in a record, file or registry can control a terminal when it is printed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floorhouse.program import main
from ingestion.errors import BucketError
from ingestion.printable import PrintableStream, printable
from quality.alerts.messages import Message, as_line, as_mail
from scripts import explain

CLEAR_SCREEN = "\x1b[2J"
SIGNS = ["\x1b[2J", "\x9b2J", "\x07", "\x08", "\r", "\n", "\t", "\u202e", "\u2028", "\x7f", "\x00"]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_that_steers_is_shown_as_its_escape(sign: str) -> None:
    shown = printable(f"S1{sign}é€😀")
    assert shown.isprintable()
    assert shown.startswith("S1\\")
    assert shown.endswith("é€😀")


def test_what_is_printed_keeps_its_lines_and_tabs_and_nothing_else_that_is_not_printed() -> None:
    kept = io.StringIO()
    print(f"one\ttwo{CLEAR_SCREEN}", "\x9b31m", sep="\n", file=PrintableStream(kept))
    assert kept.getvalue() == "one\ttwo\\x1b[2J\n\\x9b31m\n"


def test_a_command_escapes_what_it_prints(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "floorhouse", "erase", "--site", "north", "--worker", "W1"],
        env={"PATH": os.environ["PATH"], "FLOORHOUSE_DATA_DIR": str(tmp_path / f"data{CLEAR_SCREEN}")},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 2
    assert "\x1b" not in ended.stderr
    assert "data\\x1b[2J/warehouse.duckdb" in ended.stderr


@pytest.mark.parametrize("arguments", [["status"], ["doctor"], ["settings"], ["backup", "to"], ["rebuild"], ["run"]])
def test_every_verb_escapes_what_it_prints(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / f"data{CLEAR_SCREEN}\u202e"
    folder.mkdir()
    (folder / "floorhouse.toml").write_text('site_url = "http://127.0.0.1/\\u001b[2J"\n')
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(folder))
    monkeypatch.setenv("FLOORHOUSE_RETENTION_EVENT_DAYS", f"7{CLEAR_SCREEN}")
    main(arguments)
    printed = "".join(capsys.readouterr())
    assert "\\x1b[2J" in printed
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_an_errors_sentence_is_one_line_that_steers_nothing() -> None:
    assert str(BucketError(f"The object a{CLEAR_SCREEN}\nb cannot be read.")) == (
        "The object a\\x1b[2J\\nb cannot be read."
    )


def test_an_alert_steers_no_terminal_in_any_sink() -> None:
    message = Message(
        "1", "opened", "2026-01-15T10:00:00", "warn", "silence", f"n{CLEAR_SCREEN}", f"S1{CLEAR_SCREEN}\u202e",
        f"Station\n{CLEAR_SCREEN} is silent.", "http://127.0.0.1/",
    )  # fmt: skip
    assert "\x1b" not in as_line(message)
    assert as_line(message).count("\n") == 0
    assert "Station \\x1b[2J is silent." in as_line(message)
    assert not {"\x1b", "\u202e"} & set(as_mail(message, "a@b.example", "c@d.example").as_string())


def test_an_explanation_steers_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(explain, "read_evidence", lambda *_: ["the evidence"])
    monkeypatch.setattr(explain, "tell", lambda _: [f"W1{CLEAR_SCREEN} worked", "at S1\nno such line"])
    assert explain.explain_shifts("W1", "2026-01-15", "", "") == 0
    assert capsys.readouterr().out == "W1\\x1b[2J worked\nat S1\\nno such line\n"
