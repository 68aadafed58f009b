from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from orchestration.import_ahead import ImportAhead


def test_who_needs_the_library_meanwhile_waits_for_it_and_it_is_imported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_library.py").write_text(
        "import pathlib, time\n"
        "count = pathlib.Path(__file__).with_suffix('.count')\n"
        "count.write_text(count.read_text() + '.' if count.exists() else '.')\n"
        "time.sleep(0.5)\n"
        "ready = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    ahead = ImportAhead("slow_library")
    started = time.monotonic()
    ahead.start()
    ahead.start()
    assert time.monotonic() - started < 0.4
    import slow_library  # type: ignore[import-not-found]

    assert slow_library.ready
    assert (tmp_path / "slow_library.count").read_text() == "."
    monkeypatch.delitem(sys.modules, "slow_library")


def test_a_library_that_fails_to_import_fails_where_it_is_needed_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("raise OSError('no such file')")
    monkeypatch.syspath_prepend(tmp_path)
    ahead = ImportAhead("broken_library")
    ahead.start()
    ahead.wait()
    with pytest.raises(OSError, match="no such file"):
        import broken_library  # type: ignore[import-not-found]  # noqa: F401
