"""The systemd units start verbs that exist, agree with each other, and pass systemd's own check."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from floorhouse.program import main

ROOT = Path(__file__).resolve().parents[1]
UNITS = sorted((ROOT / "systemd").glob("*.service"))


def values(unit: Path) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] != "#")
    return {name: value for name, value in pairs if name != "Environment"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_verb_of_the_program(unit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, verb, *_ = values(unit)["ExecStart"].split()
    assert program == "/opt/floorhouse/.venv/bin/floorhouse"
    assert main([verb, "--help"]) == 0
    assert f"usage: floorhouse {verb}" in capsys.readouterr().out


def test_units_share_user_folder_and_locks_and_differ_in_what_they_start_alone() -> None:
    shared = ("User", "WorkingDirectory", "StateDirectory", "EnvironmentFile", "UMask", "ProtectSystem", "Restart")
    assert len(UNITS) == 4
    assert {tuple(values(unit)[name] for name in shared) for unit in UNITS} == {
        ("floorhouse", "/opt/floorhouse", "floorhouse", "-/etc/floorhouse.env", "0027", "strict", "always")
    }


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_no_fault_in_a_unit(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    assert re.findall(r"^\[(\w+)\]$", text, flags=re.MULTILINE) == ["Unit", "Service", "Install"]
    checker = shutil.which("systemd-analyze")
    if checker is None:  # the other tests hold without it
        return
    here = text.replace("/opt/floorhouse/.venv/bin/floorhouse", str(Path(sys.executable).with_name("floorhouse")))
    here = here.replace("/opt/floorhouse", str(ROOT)).replace("=floorhouse\n", "=root\n")
    (tmp_path / unit.name).write_text(here)
    done = subprocess.run(
        [checker, "verify", "--man=no", "--recursive-errors=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
    assert done.returncode == 0, done.stderr
