"""Stand-ins for dbt when sqlfluff renders a model: the names of this package are names in the templates.

Only those that sqlfluff itself gets wrong. dbt never reads this folder.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import pass_context
from jinja2.runtime import Context

_PROJECT = Path(__file__).parent.parent / "dbt_project.yml"


@cache
def _variables() -> dict[str, Any]:
    variables: dict[str, Any] = yaml.safe_load(_PROJECT.read_text(encoding="utf-8"))["vars"]
    return variables


def var(name: str, default: Any = None) -> Any:
    """The project's own value: models loop over lists, which the stand-in does not give."""
    return _variables().get(name, default)


def should_full_refresh() -> bool:
    """Lint what a batch usually runs."""
    return False


class Adapter:
    """Dispatches macros as dbt does for DuckDB; the stand-ins have no adapter."""

    @pass_context
    def dispatch(self, context: Context, name: str, _package: str | None = None) -> Any:
        """The DuckDB variant of a macro, which stands in the same file."""
        return context.resolve(f"duckdb__{name}")


adapter = Adapter()

# A model, not a unit test of one.
model = {"resource_type": "model"}
