"""A comparison's copy of the warehouse is removed when the comparison ends, or by the next batch if it was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.warehouse import warehouse_lock
from orchestration.copies import PREFIX, copied_warehouse
from orchestration.deletions import finish_deletions
from tests.plant import EVENT, Plant

KILLED = """
import os, signal, sys
from pathlib import Path
from ingestion.settings import Settings
from orchestration.copies import copied_warehouse
with copied_warehouse(Settings(data_dir=Path(sys.argv[1])), print):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def copies(plant: Plant) -> list[str]:
    return sorted(path.name for path in plant.settings.data_dir.glob(f"{PREFIX}*"))


def test_what_a_killed_comparison_left_goes_with_the_next_batch_and_a_living_ones_copy_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = Plant(tmp_path / "plant")
    plant.drop("events/a.jsonl", json.dumps({**EVENT, "site_id": "A"}))
    plant.land()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(plant.settings.data_dir)], check=False, timeout=120, env=os.environ
    )
    assert killed.returncode == -signal.SIGKILL
    (dead,) = copies(plant)
    with copied_warehouse(plant.settings, print) as copy:
        living = copy.data_dir.name
        assert copies(plant) == [living]  # a comparison also removes dead copies before it makes its own
        dead_again = plant.settings.data_dir / dead
        dead_again.mkdir()
        with warehouse_lock(plant.settings):
            finish_deletions(plant.settings, print)
        assert copies(plant) == [living]
    assert copies(plant) == []
    assert capsys.readouterr().out.count(f"{dead}, which a comparison that was killed left, is removed") == 2
