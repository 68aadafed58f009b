"""The decisions of scripts/setup, with an interpreter and an installer that only record their calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.test_conventions import LOCKS, ROOT

# Replaces python3, .venv/bin/python and .venv/bin/uv. A file `fail-next` beside it makes one installation fail.
FAKE = """\
#!/usr/bin/env bash
home=@HOME@
echo "$(basename "$0") $*" >>"$home/calls"
case "$*" in
    "-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    "-m pip install"*) cp "$0" .venv/bin/uv ;;
    "-m pip config"*) exit 1 ;;
    "pip sync"*) if [ -e "$home/fail-next" ]; then rm "$home/fail-next"; exit 1; fi ;;
    "-c "*version_info*) [ ! -e "$home/is-too-old" ] ;;
    "-c import pip") [ -e .venv/bin/python ] ;;
    --version) echo "Python 3.12.1" ;;
esac
"""


class Clone:
    """A folder with the script and the locks, and a record of the started commands."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "machine"
        self.home.mkdir()
        self.folder = folder / "clone"
        (self.folder / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/setup", self.folder / "scripts/setup")
        for name in ("pyproject.toml", *LOCKS):
            shutil.copy(ROOT / name, self.folder / name)
        self.python = self.home / "python3"
        self.python.write_text(FAKE.replace("@HOME@", str(self.home)), encoding="utf-8")
        self.python.chmod(0o755)
        self.node("v22.1.0")

    def node(self, version: str) -> None:
        for name in ("node", "npm"):
            (self.home / name).write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
            (self.home / name).chmod(0o755)

    def setup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.home / "calls").write_text("", encoding="utf-8")
        return subprocess.run(
            [self.folder / "scripts/setup", *arguments],
            env={"PATH": f"{self.home}:{os.environ['PATH']}", "PYTHON": str(self.python), "HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def installed(self) -> list[str]:
        """The lock files of each installation since the last set-up began."""
        calls = (self.home / "calls").read_text(encoding="utf-8").splitlines()
        return [" ".join(w for w in call.split() if w.endswith(".lock")) for call in calls if "pip sync" in call]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_a_fresh_clone_is_set_up_with_every_package_by_its_hash(clone: Clone) -> None:
    process = clone.setup()

    assert process.returncode == 0, process.stderr
    assert clone.installed == ["requirements-dev.lock requirements-uv.lock"]
    calls = (clone.home / "calls").read_text(encoding="utf-8")
    assert calls.count("--require-hashes") == 2


def test_an_up_to_date_clone_is_left_alone_at_once(clone: Clone) -> None:
    clone.setup()
    began = time.monotonic()
    process = clone.setup("--quiet")

    assert time.monotonic() - began < 1  # 0.02 s on an idle machine
    assert (process.returncode, process.stdout) == (0, "")
    assert (clone.home / "calls").read_text(encoding="utf-8") == ""


def test_a_changed_lock_is_installed_into_the_same_environment(clone: Clone) -> None:
    clone.setup()
    lock = clone.folder / "requirements-dev.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    clone.setup()

    assert len(clone.installed) == 1
    assert "venv" not in (clone.home / "calls").read_text(encoding="utf-8").replace(".venv", "")


def test_a_moved_clone_is_set_up_again_because_its_commands_name_the_old_folder(clone: Clone) -> None:
    clone.setup()
    clone.folder = clone.folder.rename(clone.folder.with_name("moved"))
    clone.setup()

    assert "-m venv --clear" in (clone.home / "calls").read_text(encoding="utf-8")
    assert len(clone.installed) == 1


def test_a_failed_installation_ends_with_a_sentence_and_the_next_one_starts_anew(clone: Clone) -> None:
    (clone.home / "fail-next").touch()
    failed = clone.setup()

    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr.splitlines()[-1]

    repaired = clone.setup()

    assert repaired.returncode == 0
    assert "interrupted; starting anew" in repaired.stdout
    assert "-m venv --clear" in (clone.home / "calls").read_text(encoding="utf-8")
    assert len(clone.installed) == 1


def test_node_comes_into_the_environment_only_where_the_machines_own_is_too_old(clone: Clone) -> None:
    clone.node("v18.19.0")
    clone.setup()

    assert clone.installed == ["requirements-dev.lock requirements-uv.lock requirements-node.lock"]


def test_an_interpreter_that_is_too_old_is_refused_with_one_sentence(clone: Clone) -> None:
    (clone.home / "is-too-old").touch()
    process = clone.setup()

    assert process.returncode == 1
    assert process.stderr.count("\n") == 1
    assert "Python 3.11, 3.12 or 3.13" in process.stderr
    assert not (clone.folder / ".venv").exists()


def test_an_unknown_option_is_refused(clone: Clone) -> None:
    process = clone.setup("--everything")

    assert process.returncode == 2
    assert "--everything" in process.stderr
