"""How names are ordered and dates are written, run by Node without a browser."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from ingestion.errors import ReportError
from reports.node import find_node
from reports.shell import REPORTS_FOLDER


def told(script: str, module: str = "formats") -> Any:
    """What a script says that has imported everything of a module of the pages as `it`."""
    try:
        node = find_node()
    except ReportError as error:
        pytest.skip(str(error))
    source = f"import * as it from {json.dumps((REPORTS_FOLDER / 'components' / f'{module}.js').as_uri())}; "
    code = source + f"const say = () => {{ {script} }}; console.log(JSON.stringify(say()));"
    process = subprocess.run(
        [node.node, "--no-warnings", "--experimental-default-type=module", "--input-type=module", "-e", code],
        capture_output=True, text=True, check=True, timeout=60, env=node.environment({}),
    )  # fmt: skip
    return json.loads(process.stdout)


def test_rows_are_ordered_as_people_count_and_those_without_a_value_come_last() -> None:
    rows = [{"site": "a", "id": one} for one in ("W10", "W2", None, "w1")] + [{"site": "A2", "id": "W1"}]
    script = f"return {json.dumps(rows)}.sort(it.byColumns(%s)).map((row) => row.id)"
    assert told(script % '["site", "id"]') == ["w1", "W2", "W10", None, "W1"]
    assert told(script % '["-id"]') == ["W10", "W2", "W1", "w1", None]
    days = told('return [{n: 1}, {n: 10}, {n: null}, {n: 2}].sort(it.byColumns(["-n"])).map((row) => row.n)')
    assert days == [10, 2, 1, None]


def test_the_nearest_contact_is_shown_and_of_the_nearest_the_one_for_the_cause() -> None:
    keys = ("site_id", "line", "workstation_id", "cause", "name")
    rows = [
        ("*", None, None, None, "anybody"),
        ("*", None, None, "idle", "anybody for idle"),
        ("A", None, None, None, "site"),
        ("A", "L1", None, None, "line"),
        ("A", "L1", None, "idle", "line for idle"),
        ("A", None, "S1", None, "station"),
        ("B", None, None, None, "elsewhere"),
    ]
    asked = [("idle", "A", "L1", "S1"), ("idle", "A", "L1", "S2"), ("slow", "A", "L1", None), ("slow", "A", None, None)]
    asked += [("idle", "C", None, None)]
    script = f"""
        const rows = {json.dumps([dict(zip(keys, row, strict=True)) for row in rows])};
        const names = {json.dumps(asked)}.map(([cause, site_id, line, workstation_id]) =>
            it.contactsFor(rows, {{site_id, line, workstation_id}}, cause).map((row) => row.name).join());
        return [...names, it.dial('+49 30 131'), it.dial('ext. 5') ?? null];
    """
    found = ["station", "line for idle", "line", "site", "anybody for idle", "tel:+4930131", None]
    assert told(script, "contacts") == found


def test_dates_have_their_year_where_a_page_or_an_axis_touches_two() -> None:
    axis = "it.shortDay('2026-01-02', it.yearsIn(%s))"
    assert "2026" in told(f"return {axis}" % "'2025-12-30', '2026-01-02'")
    assert "2026" not in told(f"return {axis}" % "'2026-01-01', '2026-01-02'")
    page = "it.tellYears(%s); return [it.day('2026-01-02'), it.written('2026-01-02', 'day')]"
    assert all("2026" in text for text in told(page % "'2025-12-30', '2026-01-02'"))
    assert not any("2026" in text for text in told(page % "'2026-01-01', '2026-01-02'"))
