"""The shell in the served site: placed so that an open page never breaks, and only if it has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.errors import ReportError
from ingestion.settings import Settings
from reports.site import place_shell, publish_site
from tests.reports.conftest import write_shell


def test_a_publish_fills_an_empty_site_with_shell_and_data(settings: Settings, shell: Path) -> None:
    report = publish_site(settings, shell)
    assert report.shell_changed
    assert (settings.site_path / "index.html").read_text() == "<title>one</title>"
    assert (settings.site_path / "data" / "manifest.json").is_file()
    files = [path for path in settings.site_path.rglob("*") if path.is_file() and path.name != "shell.json"]
    # the marts that readers may ask are links to the published files, and take no room
    assert report.bytes_written == sum(path.stat().st_size for path in files if path.stat().st_nlink == 1)
    again = publish_site(settings, shell)
    assert (again.shell_changed, again.files, again.bytes_written) == (False, 0, 0)


def test_parts_of_the_shell_before_stay_for_one_round(tmp_path: Path) -> None:
    served = tmp_path / "site"
    for version in ("one", "two"):
        place_shell(write_shell(tmp_path / version, version), served)
    assert (served / "index.html").read_text() == "<title>two</title>"
    assert sorted(path.name for path in (served / "_app/immutable").iterdir()) == ["part.one.js", "part.two.js"]
    place_shell(write_shell(tmp_path / "three", "three"), served)
    assert sorted(path.name for path in (served / "_app/immutable").iterdir()) == ["part.three.js", "part.two.js"]


def test_the_page_itself_is_replaced_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = tmp_path / "site"
    place_shell(write_shell(tmp_path / "one", "one"), served)
    copied: list[str] = []

    def note(source: Path, target: Path) -> None:
        copied.append(source.name)
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr("shutil.copyfile", note)
    place_shell(write_shell(tmp_path / "two", "two"), served)
    assert copied[-1] == "index.html"


def test_a_kill_before_the_page_is_replaced_leaves_the_old_page_and_the_next_publish_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tmp_path / "site"
    place_shell(write_shell(tmp_path / "one", "one"), served)
    newer = write_shell(tmp_path / "two", "two")

    def die_at_the_page(source: Path, target: Path) -> None:
        if source.name == "index.html":
            raise KeyboardInterrupt
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr("shutil.copyfile", die_at_the_page)
    with pytest.raises(KeyboardInterrupt):
        place_shell(newer, served)
    assert (served / "index.html").read_text() == "<title>one</title>"
    assert (served / "_app/immutable/part.one.js").is_file()
    monkeypatch.undo()
    assert place_shell(newer, served)
    assert (served / "index.html").read_text() == "<title>two</title>"


def test_a_shell_that_was_never_built_is_named_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="not built yet"):
        publish_site(settings, tmp_path / "nothing")
