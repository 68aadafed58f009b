"""Building the shell: when it is built, with which Node, failure messages, patches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ingestion.errors import ReportError
from reports.node import find_node, run_logged
from reports.patches import PATCHES, Patch, apply_patches
from reports.shell import REPORTS_FOLDER, build_shell, install_packages, source_hash


def _program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{says}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A small reports folder: two pages and a lock file."""
    folder = tmp_path / "reports"
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "index.md").write_text("# A page")
    (folder / "pages" / "other.md").write_text("# Another")
    (folder / "package-lock.json").write_text("{}")
    return folder


def _stamp(reports: Path) -> None:
    (reports / "build").mkdir(exist_ok=True)
    (reports / "build" / "shell.json").write_text(json.dumps({"hash": source_hash(reports), "files": []}))


def test_a_shell_that_is_up_to_date_is_not_built_again_and_needs_no_node(
    reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stamp(reports)
    monkeypatch.setattr("reports.shell.find_node", lambda: pytest.fail("a build was started"))
    lines: list[str] = []
    assert build_shell(lines.append, reports) == reports / "build"
    assert lines == []


@pytest.mark.parametrize("change", ["content", "name", "new file", "lock file"])
def test_the_shell_is_built_again_when_something_it_is_made_of_changes(reports: Path, change: str) -> None:
    before = source_hash(reports)
    assert source_hash(reports) == before
    match change:
        case "content":
            (reports / "pages" / "index.md").write_text("# A page, reworded")
        case "name":
            (reports / "pages" / "other.md").rename(reports / "pages" / "renamed.md")
        case "new file":
            (reports / "pages" / "third.md").touch()
        case "lock file":
            (reports / "package-lock.json").write_text('{"packages": {}}')
    assert source_hash(reports) != before


def test_a_build_without_node_says_so_in_one_sentence_and_keeps_the_shell_before(
    reports: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _stamp(reports)
    (reports / "pages" / "index.md").write_text("# A page, reworded")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    with pytest.raises(ReportError, match=r"^The report pages need Node 20 or newer with npm, and there is none .*\.$"):
        build_shell(print, reports)
    assert (reports / "build" / "shell.json").is_file()


@pytest.mark.slow
def test_the_locked_npm_installs_the_locked_packages_into_a_clean_folder(tmp_path: Path) -> None:
    environment = tmp_path / "node"
    venv.create(environment, with_pip=True)
    lock = REPORTS_FOLDER.parent / "requirements-node.lock"
    subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock], check=True
    )
    clean = tmp_path / "reports"
    clean.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(REPORTS_FOLDER / name, clean)
    locked = find_node(str(environment / "bin"))
    assert locked.node.is_relative_to(environment)

    install_packages(locked, clean, print)

    assert (clean / "node_modules" / "vite" / "bin" / "vite.js").is_file()
    shutil.rmtree(tmp_path)  # 800 MB that pytest would keep


def test_an_old_node_on_path_is_passed_over_for_the_one_beside_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, version in (("machine", "v18.20.0"), ("venv", "v22.1.0")):
        _program(tmp_path / folder, "node", f"echo {version}")
        _program(tmp_path / folder, "npm", "true")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    assert find_node(str(tmp_path / "machine")).node == tmp_path / "venv" / "node"
    _program(tmp_path / "machine", "node", "echo v20.0.0")
    found = find_node(str(tmp_path / "machine"))
    assert found.node == tmp_path / "machine" / "node"
    assert found.environment({})["PATH"].startswith(f"{tmp_path / 'machine'}{os.pathsep}")
    assert found.environment({})["SEND_ANONYMOUS_USAGE_STATS"] == "no"


def _run(command: str, tmp_path: Path, lines: list[str], heartbeat_seconds: float = 10) -> None:
    run_logged(
        ["/bin/sh", "-c", command],
        folder=tmp_path,
        environment={"PATH": os.defpath},
        log_file=tmp_path / "logs" / "work.log",
        what="working",
        log=lines.append,
        heartbeat_seconds=heartbeat_seconds,
    )


def test_a_step_that_fails_gives_its_status_its_error_and_where_the_rest_is(tmp_path: Path) -> None:
    with pytest.raises(ReportError) as caught:
        _run("echo starting; echo 'Error: no such page' >&2; echo bye; exit 3", tmp_path, [])
    assert str(caught.value) == (
        f"Working failed with status 3 (Error: no such page); all of its output is in {tmp_path / 'logs' / 'work.log'}."
    )
    assert (tmp_path / "logs" / "work.log").read_text().splitlines()[0] == "starting"


def test_a_long_step_shows_that_it_lives(tmp_path: Path) -> None:
    lines: list[str] = []
    _run("sleep 0.5", tmp_path, lines, heartbeat_seconds=0.1)
    assert lines[0] == "working …"
    assert len(lines) >= 4
    assert lines[-1].startswith("working: done in")


def test_patches_apply_once_and_say_when_a_package_is_another_version(tmp_path: Path) -> None:
    patch = Patch("package/code.js", before="old", after="new", reason="because")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "code.js").write_text("an old line")
    assert apply_patches(tmp_path, [patch]) == 1
    assert (tmp_path / "package" / "code.js").read_text() == "an new line"
    assert apply_patches(tmp_path, [patch]) == 0
    (tmp_path / "package" / "code.js").write_text("a line of another version")
    with pytest.raises(ReportError, match=r"package/code\.js is not the version"):
        apply_patches(tmp_path, [patch])


def test_every_patch_and_every_pin_has_its_reason() -> None:
    assert all(patch.reason.endswith(".") for patch in PATCHES)
    package = json.loads((REPORTS_FOLDER / "package.json").read_text(encoding="utf-8"))
    pinned = {**package["dependencies"], **package["devDependencies"], **package["overrides"]}
    assert set(pinned) <= set(package["//"])
    assert all(version[0].isdigit() for version in pinned.values())


def test_the_lock_file_names_no_download_address() -> None:
    lock = json.loads((REPORTS_FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
    fetched = [entry for name, entry in lock["packages"].items() if name and not entry.get("inBundle")]
    assert all(entry["integrity"].startswith("sha512-") for entry in fetched)
