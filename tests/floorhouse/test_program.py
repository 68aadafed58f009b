"""The program `floorhouse`: help for every verb, exit statuses, one sentence on failure, and how it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from floorhouse.program import app, main
from tests.test_conventions import ROOT

VERBS = {str(command.name or command.callback.__name__) for command in app.registered_commands if command.callback}


def test_the_verbs_are_those_of_a_plant() -> None:
    expected = "run dev web serve intake edge bridge demo explain replay verify erase retain settings doctor status"
    assert set(expected.split()) <= VERBS


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_says_what_it_does(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) > 2
    assert shown.err == ""


def test_help_is_quick_because_a_verb_imports_what_it_needs_only_when_it_runs() -> None:
    code = "import sys; from floorhouse.program import main; main(['run', '--help']); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    packages = {line.partition(".")[0] for line in done.stdout.splitlines()}
    assert (
        packages & {"dagster", "dbt", "duckdb", "fastapi", "great_expectations", "numpy", "obstore", "pandas"} == set()
    )
    assert "typer" in packages


def test_an_unknown_verb_or_option_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "fly" in capsys.readouterr().err
    assert main(["run", "--faster"]) == 2
    assert "--faster" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["replay"], ["verify"], ["retain"], ["rebuild"], ["erase", "--site=n", "--worker=W1"], ["demo"],
     ["explain", "--worker=W1", "--date=2026-01-15"], ["dev"], ["web"], ["settings"], ["status"]],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_a_bad_setting_is_one_sentence_and_status_2(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOORHOUSE_REVIEW_FRACTION", "2")
    assert main(arguments) == 2
    assert capfd.readouterr().err == "FLOORHOUSE_REVIEW_FRACTION is '2'; allowed: a number from 0 to 1.\n"


def test_what_is_not_in_an_image_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "scripts.demo", None)
    assert main(["demo"]) == 1
    assert capfd.readouterr().err == "floorhouse demo needs a clone of the project; this is an image.\n"


def test_the_locked_uv_installs_the_program_without_a_network(tmp_path: Path) -> None:
    venv.create(tmp_path / "environment")
    python = tmp_path / "environment/bin/python"
    [packages] = (tmp_path / "environment/lib").glob("python*/site-packages")
    [ours] = (path for path in map(Path, sys.path) if path.name == "site-packages" and (path / "typer").is_dir())
    (packages / "others.pth").write_text(str(ours))
    uv = Path(sys.executable).with_name("uv")
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--editable", ROOT]
    subprocess.run([*map(str, install), "--python", str(python)], check=True)

    shown = subprocess.run(
        [tmp_path / "environment/bin/floorhouse", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert shown.stdout == f"floorhouse {version}\n"


def test_sigterm_ends_the_program_and_what_it_starts_also_where_sigint_was_ignored_at_its_start() -> None:
    code = """
import signal
from floorhouse.program import main
main(["--version"])
import dagster._utils.interrupts
import subprocess, sys
shown = "import signal; print(signal.getsignal(signal.SIGINT).__name__, signal.getsignal(signal.SIGTERM).name)"
subprocess.run([sys.executable, "-c", shown], check=True)
signal.raise_signal(signal.SIGTERM)
"""
    ignoring = ["sh", "-c", 'trap "" INT; exec "$0" "$@"', sys.executable, "-c", code]
    done = subprocess.run(ignoring, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "default_int_handler SIG_DFL", done.stderr
    assert done.returncode != 0
