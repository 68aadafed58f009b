"""Runs a node of an incremental build by the statements that dbt made for it before, in this process.

dbt renders each node in every build: its SQL, its materialization, and a context for both. It arrives at the same
statements while the project, the arguments and the relations of the warehouse stay the same, and while the queries
whose results stand in the SQL (the days of a batch) give the same answers. So a process records the statements of its
first such build, and in the next one asks those queries and sends the statements again. dbt still orders the nodes,
opens the connections and reports the results.

Within one build a query that is asked while a node is rendered is sent once: what it reads is complete by then.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.adapters.sql.connections import SQLConnectionManager

_MOST_BUILDS = 8  # kinds of builds whose statements are kept
_FIRST_WORD = re.compile(r"(?:\s*/\*.*?\*/)*\s*(\w*)", re.DOTALL)
_BEGIN, _COMMIT = "BEGIN", "COMMIT"
_RESPONSE = {"_message": "OK"}  # as dbt's adapter for DuckDB answers every statement
_COUNTS = ("failures", "should_warn", "should_error")  # the columns of a data test's one row


@dataclass(slots=True)
class _Node:
    """What dbt asked while it rendered a node, with the answers, and what it then sent."""

    asked: list[tuple[str, Any]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    made: list[Any] = field(default_factory=list)  # relations, which nodes that are rendered look up in dbt's cache
    compiled: str | None = None


@dataclass(slots=True)
class _Build:
    """One running build: which kind it is, the nodes of its kind once the relations are known, and its answers."""

    kind: Hashable
    known: dict[str, _Node] | None = None
    answers: dict[str, Any] = field(default_factory=dict)


_kinds: OrderedDict[Hashable, dict[str, _Node]] = OrderedDict()
_of_thread = threading.local()  # `node`: the record of the node that this thread renders
_running: _Build | None = None


@contextmanager
def repeating(kind: Hashable) -> Iterator[None]:
    """Record the statements of the build inside, or repeat those of an earlier build of the same kind.

    `kind` holds all that determines the statements but the relations of the warehouse, which are compared here. Only
    for incremental builds: a full refresh depends on what it finds.
    """
    global _running  # noqa: PLW0603  # dbt creates its runners itself, so nothing can be handed to them
    _install()
    _running = _Build(kind)
    try:
        yield
    finally:
        _running = None


def _nodes_of(build: _Build, adapter: Any) -> dict[str, _Node]:
    """The recorded nodes of builds of this kind over the relations that this build found."""
    if build.known is None:
        relations = frozenset(
            (relation.database, relation.schema, relation.identifier, str(relation.inner.type))
            for relation in adapter.cache.relations.values()
        )
        kind = (build.kind, adapter.config.credentials.database, relations)
        build.known = _kinds.setdefault(kind, {})
        _kinds.move_to_end(kind)
        while len(_kinds) > _MOST_BUILDS:
            _kinds.popitem(last=False)
    return build.known


def _repeatable(adapter: Any, node: Any) -> _Node | None:
    """The record of a node whose queries give the same answers as when it was made."""
    if _running is None:
        return None
    found = _nodes_of(_running, adapter).get(node.unique_id)
    if found is None:
        return None
    for sql, rows in found.asked:
        if _rows(adapter.connections.execute(sql, auto_begin=False, fetch=True)[1]) != rows:
            return None
    return found


def _kind_of(sql: str) -> str:
    """The first word of a statement, in lower case, behind dbt's comment."""
    return _FIRST_WORD.match(sql)[1].lower()  # type: ignore[index]  # matches any text


def _rows(table: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in table.rows]


def _keep(adapter: Any, node: Any) -> None:
    """Keep the record of a node that ended well."""
    record: _Node | None = getattr(_of_thread, "node", None)
    _of_thread.node = None
    if record is not None and _running is not None:
        record.compiled = node.compiled_code
        _nodes_of(_running, adapter)[node.unique_id] = record


def _send(connections: SQLConnectionManager, statements: list[str]) -> Any:
    """Send statements in their transactions; returns the cursor of the last one."""
    cursor = connections.get_thread_connection().handle.cursor()
    for sql in statements:
        if sql == _BEGIN:
            connections.begin()  # type: ignore[no-untyped-call]
        elif sql == _COMMIT:
            connections.commit()  # type: ignore[no-untyped-call]
        else:
            with connections.exception_handler(sql):
                cursor.execute(sql)
    return cursor


@lru_cache(maxsize=1)
def _install() -> None:
    """Change dbt in this process: its runners ask here first. Outside `repeating` they do as before."""
    from dbt.adapters.sql.connections import SQLConnectionManager
    from dbt.artifacts.schemas.results import RunStatus
    from dbt.artifacts.schemas.run import RunResult
    from dbt.task.compile import CompileRunner
    from dbt.task.run import ModelRunner
    from dbt.task.test import TestResultData, TestRunner

    # mypy: dbt's classes are changed on purpose
    compiler: Any = CompileRunner
    models: Any = ModelRunner
    tests: Any = TestRunner
    connections: Any = SQLConnectionManager

    compile_node, execute_model, execute_test = compiler.compile, models.execute, tests.execute_data_test
    made_relations = models._materialization_relations
    add_query, execute = connections.add_query, connections.execute

    def compile_or_take(self: Any, manifest: Any) -> Any:
        _of_thread.node, _of_thread.repeated = None, _repeatable(self.adapter, self.node)
        if _of_thread.repeated is not None:
            self.node.compiled, self.node.compiled_code = True, _of_thread.repeated.compiled
            return self.node
        _of_thread.node = _Node() if _running is not None else None
        return compile_node(self, manifest)

    def execute_or_repeat(self: Any, model: Any, manifest: Any) -> Any:
        if _of_thread.repeated is None:
            result = execute_model(self, model, manifest)
            _keep(self.adapter, model)
            return result
        _send(self.adapter.connections, _of_thread.repeated.sent)
        for relation in _of_thread.repeated.made:
            self.adapter.cache_added(relation)
        return RunResult(
            node=model,
            status=RunStatus.Success,
            timing=[],
            thread_id=threading.current_thread().name,
            execution_time=0.0,  # dbt measures it
            message="OK",
            adapter_response=_RESPONSE,
            failures=None,
            batch_results=None,
        )

    def relations_of(self: Any, result: Any, model: Any) -> Any:
        made = made_relations(self, result, model)
        if (record := getattr(_of_thread, "node", None)) is not None:
            record.made = [relation.incorporate(dbt_created=True) for relation in made]
        return made

    def test_or_repeat(self: Any, test: Any, manifest: Any) -> Any:
        if _of_thread.repeated is None:
            result = execute_test(self, test, manifest)
            _keep(self.adapter, test)
            return result
        row = _send(self.adapter.connections, _of_thread.repeated.sent).fetchone()
        return TestResultData(**dict(zip(_COUNTS, row, strict=True)), adapter_response=_RESPONSE)

    def add_and_note(self: Any, sql: str, *arguments: Any, **options: Any) -> Any:
        answer = add_query(self, sql, *arguments, **options)  # may begin a transaction first
        if (record := getattr(_of_thread, "node", None)) is not None and _kind_of(sql) != "describe":
            record.sent.append(sql)
        return answer

    def execute_or_remember(
        self: Any, sql: str, auto_begin: bool = False, fetch: bool = False, limit: Any = None
    ) -> Any:
        build, record = _running, getattr(_of_thread, "node", None)
        # A test's own query begins a transaction; a query that is asked while a node is rendered does not.
        if build is None or not fetch or auto_begin or _kind_of(sql) not in ("select", "with"):
            return execute(self, sql, auto_begin, fetch, limit)
        if (answer := build.answers.get(sql)) is None:
            _of_thread.node = None  # the query is no statement of the node
            answer = build.answers[sql] = execute(self, sql, auto_begin, fetch, limit)
            _of_thread.node = record
        if record is not None:
            record.asked.append((sql, _rows(answer[1])))
        return answer

    compiler.compile, models.execute, tests.execute_data_test = compile_or_take, execute_or_repeat, test_or_repeat
    models._materialization_relations = relations_of
    connections.add_query, connections.execute = add_and_note, execute_or_remember
