"""Prepared answers: runs every query of queries/<page>/ natively with the default values of a page.

A page shows them before its engine has started. The engine runs the same SQL text when a reader chooses other values,
so a figure has one definition. Knows nothing about how pages draw.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from ingestion.errors import ReportError

QUERIES_FOLDER = Path(__file__).parent / "queries"
FRAME = "frame"  # needed by every page: sites, shifts, freshness and completeness of the data
PAGES_OF_ONE = ("station", "worker", "line")  # too many to prepare; the engine answers
DEFAULT_DAYS = 7

Values = Mapping[str, str | None]
_PARAMETER = re.compile(r"\$(site|from_date|to_date|shift|shift_date|window_shift|station|worker|line)\b")


def page_names() -> list[str]:
    """The pages with prepared answers, sorted."""
    return sorted(path.name for path in QUERIES_FOLDER.iterdir() if path.name not in {FRAME, *PAGES_OF_ONE})


def parameters_of(sql: str) -> list[str]:
    """The names of a query's parameters, sorted."""
    return sorted(set(_PARAMETER.findall(sql)))


def default_values(frame: Mapping[str, Any]) -> dict[str, str | None]:
    """A page's default values: all sites and shifts, the newest 7 shift dates; or one shift, its focus."""
    published = records(frame["published"])[0]
    newest = published["newest_date"]
    first = date.fromisoformat(newest) - timedelta(days=DEFAULT_DAYS - 1) if newest else None
    return {
        "site": None,
        "shift": None,
        "station": None,
        "worker": None,
        "line": None,
        "from_date": first.isoformat() if first else None,
        "to_date": newest,
        "shift_date": None,
        "window_shift": None,
    }


def focus_values(frame: Mapping[str, Any]) -> dict[str, str | None]:
    """The defaults of a page of one shift: the newest complete scheduled window of the first site."""
    sites = records(frame["sites"])
    if not sites:
        return default_values(frame)
    site = sites[0]
    return {
        **default_values(frame),
        "site": site["site_id"],
        "shift_date": site["focus_date"],
        "window_shift": site["focus_shift"],
    }


def ask_page(connection: duckdb.DuckDBPyConnection, page: str, values: Values) -> dict[str, Any]:
    """The answers to all queries of a page by name, each {columns, rows}. Raises ReportError if a query fails.

    Values are text, numbers and booleans, as in JSON. A number that is not finite becomes null.
    """
    answers: dict[str, Any] = {}
    for file in sorted((QUERIES_FOLDER / page).glob("*.sql")):
        sql = file.read_text(encoding="utf-8")
        try:
            asked = connection.execute(sql, {name: values[name] for name in parameters_of(sql)})
            columns = [column[0] for column in asked.description or ()]
            answers[file.stem] = {
                "columns": columns,
                "rows": [[_plain(value) for value in row] for row in asked.fetchall()],
            }
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise ReportError(f"The query {page}/{file.name} cannot be answered: {reason}") from error
    return answers


def records(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An answer's rows as one mapping each."""
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


def to_json(value: object) -> str:
    """Write JSON so that equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
