"""Every compiled model uses SQL with the same meaning in DuckDB and Spark; macros handle the differences.

A parser alone does not ensure this: sqlglot accepts `epoch_us`, `timezone` and list functions as unknown functions, and
rewrites `qualify` silently. So every function is compared with a list.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import sqlglot
from sqlglot import TokenType
from sqlglot.dialects import DuckDB

from orchestration.dbt.project import PROJECT_DIR

# Functions with the same meaning in DuckDB and Spark 3.5 for the arguments that the models use: `concat` only for texts
# that are not null, `date_trunc` in a session whose time zone is UTC.
PORTABLE = {
    *("abs", "any_value", "avg", "bool_and", "bool_or", "cast", "coalesce", "concat", "count", "date_trunc"),
    *("dense_rank", "first_value", "floor", "greatest", "lag", "last_value", "lead", "least", "length", "lower", "max"),
    *("max_by", "md5", "min", "min_by", "nullif", "rank", "row_number", "sqrt", "starts_with", "substr", "sum"),
}
# Words before a parenthesis that are not functions.
KEYWORDS = {
    *("all", "and", "any", "as", "between", "by", "case", "distinct", "else", "except", "exists", "filter", "from"),
    *("in", "interval", "join", "not", "on", "or", "over", "partition", "select", "then", "union", "values", "when"),
    *("where", "with", "decimal", "varchar", "having", "using", "listed"),
}
# Syntax that Spark spells differently or does not have.
FORBIDDEN = {TokenType.QUALIFY: "qualify", TokenType.DCOLON: "::", TokenType.EXCEPT: None}


def macro_texts() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "macros").rglob("*.sql"))


def dispatched() -> set[str]:
    """Functions in the DuckDB variants of macros."""
    bodies = re.findall(r"\{% macro duckdb__\w+\(.*?-%\}(.*?)\{%-? endmacro", macro_texts(), flags=re.DOTALL)
    return {name for body in bodies for name in re.findall(r"\b([a-z_0-9]+)\(", re.sub(r"\{\{.*?\}\}", "", body))}


def names_before_parentheses(sql: str) -> set[str]:
    tokens = DuckDB().tokenize(sql)
    return {
        first.text.lower()
        for first, second in pairwise(tokens)
        if second.token_type == TokenType.L_PAREN and re.fullmatch(r"[A-Za-z_]\w*", first.text)
    }


def problems(sql: str, allowed: set[str]) -> list[str]:
    """The reasons why a text is not SQL of both engines."""
    found = [f"the function {name}" for name in sorted(names_before_parentheses(sql) - allowed - KEYWORDS)]
    found += [str(FORBIDDEN[one.token_type]) for one in DuckDB().tokenize(sql) if FORBIDDEN.get(one.token_type)]
    try:
        sqlglot.transpile(sql, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    except sqlglot.errors.SqlglotError as error:
        found.append(str(error).splitlines()[0])
    return found


def test_every_compiled_model_is_sql_that_both_engines_have(compiled: dict[str, str]) -> None:
    allowed = PORTABLE | dispatched()
    found = {name: told for name, sql in compiled.items() if (told := problems(sql, allowed))}

    assert len(compiled) > 60
    assert found == {}


def test_what_only_one_engine_has_is_in_macros_with_a_variant_for_each() -> None:
    text = macro_texts()
    variants = {engine: set(re.findall(rf"macro {engine}__(\w+)\(", text)) for engine in ("duckdb", "spark")}

    assert variants["duckdb"] == variants["spark"] != set()
    only_duckdb = dispatched() - PORTABLE
    assert {"epoch_us", "timezone"} <= only_duckdb
    spelled = re.compile(rf"\b({'|'.join(sorted(only_duckdb))})\s*\(")
    models = (PROJECT_DIR / "models").rglob("*.sql")
    found = {path.stem: match[0] for path in models if (match := spelled.search(_without_jinja(path)))}
    assert found == {}


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select epoch_us(event_at) as at from events", "the function epoch_us"),
        ("select list_aggregate(sizes, 'sum') as total from events", "the function list_aggregate"),
        ("select * from events qualify row_number() over (order by event_at) = 1", "qualify"),
        ("select event_at::date as day from events", "::"),
        ("select from where", "Expected"),
    ],
)
def test_what_a_parser_lets_pass_is_found(sql: str, problem: str) -> None:
    assert any(problem in one for one in problems(sql, PORTABLE)), problems(sql, PORTABLE)


def _without_jinja(path: Path) -> str:
    return re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
