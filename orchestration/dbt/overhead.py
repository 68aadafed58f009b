"""Skips work of dbt on each node that this project does not need.

With over a hundred nodes, this work is most of a small batch. Decision 1 (docs/decisions) gives the time saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# The macros that dbt's adapters call by name from Python, and the materializations of models, tests and unit tests.
_CALLED_BY_NAME = (
    "alter_column_type",
    "check_schema_exists",
    "create_schema",
    "drop_relation",
    "drop_schema",
    "get_catalog",
    "get_catalog_relations",
    "get_columns_in_relation",
    "list_relations_without_caching",
    "list_schemas",
    "rename_relation",
    "truncate_relation",
    "materialization_incremental_duckdb",
    "materialization_table_duckdb",
    "materialization_view_default",
    "materialization_test_default",
    "materialization_unit_default",
)

# The events of dbt that this project reads: the ends of nodes (orchestration/assets/models.py), at any level.
TAKEN_EVENTS = frozenset({"LogModelResult", "LogTestResult", "NodeFinished", "LogStartLine"})


def keep_used_macros(manifest: Manifest, package: str) -> None:
    """Remove the macros that no node of `package` reaches from a manifest. dbt binds every macro anew twice a node."""
    roots = {name for node in manifest.nodes.values() for name in node.depends_on.macros}
    roots |= {name for test in manifest.unit_tests.values() for name in test.depends_on.macros}
    roots |= {
        name
        for name, macro in manifest.macros.items()
        if macro.package_name == package or macro.name in _CALLED_BY_NAME
    }
    used = _reached(manifest, roots)
    for name in manifest.macros.keys() - used:
        del manifest.macros[name]


def _reached(manifest: Manifest, roots: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in manifest.macros and name not in reached:
            reached.add(name)
            waiting += manifest.macros[name].depends_on.macros
    return reached


@lru_cache(maxsize=1)
def cut_overhead() -> None:
    """Change dbt in this process: it creates no debug events, and makes each template and type tester only once.

    The SQL of the nodes is not written to files. The project's own documentation (`dbt docs`) shows it.
    """
    from dbt.adapters.base.impl import BaseAdapter
    from dbt.contracts.graph.nodes import ParsedNode
    from dbt_common.clients import agate_helper
    from dbt_common.clients.jinja import MacroFuzzEnvironment
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    class WithoutDebugEvents(EventManager):
        """Drops debug events early. dbt's own class formats every event before it checks the level."""

        def fire_event(self, e: BaseEvent, level: EventLevel | None = None, *args: Any, **options: Any) -> None:
            if (level or e.level_tag()) != EventLevel.DEBUG or type(e).__name__ in TAKEN_EVENTS:
                super().fire_event(e, level, *args, **options)

    ctx_set_event_manager(WithoutDebugEvents())

    make_message = BaseEvent.__init__

    def make_message_when_read(self: BaseEvent, name: str) -> Any:
        if "pb_msg" not in self.__dict__:
            args, fields = self.__dict__.pop("_given")
            make_message(self, *args, **fields)
        return self.pb_msg if name == "pb_msg" else getattr(self.pb_msg, name)

    event_class: Any = BaseEvent
    event_class.__init__ = lambda self, *args, **fields: self.__dict__.update(_given=(args, fields))
    event_class.__getattr__ = make_message_when_read

    environment: Any = MacroFuzzEnvironment
    compile_template = environment.compile
    compiled: dict[str, CodeType] = {}

    def compile_once(self: Any, source: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(source, str) or args or options:
            return compile_template(self, source, *args, **options)
        if source not in compiled:
            compiled[source] = compile_template(self, source)
        return compiled[source]

    environment.compile = compile_once

    build_type_tester: Any = lru_cache(maxsize=256)(agate_helper.build_type_tester)
    agate_helper.build_type_tester = lambda text_columns, string_null_values=("null", ""): build_type_tester(
        tuple(sorted(text_columns)), string_null_values
    )
    # Statements without rows share one empty table as their result. Nothing changes an agate table.
    agate_helper.empty_table = lru_cache(maxsize=1)(agate_helper.empty_table)

    # dbt compares the wanted name with every relation of the schema, part by part.
    adapter: Any = BaseAdapter
    make_match = adapter._make_match
    adapter._make_match = lambda self, relations, database, schema, identifier: make_match(
        self, [one for one in relations if one.identifier.lower() == identifier.lower()], database, schema, identifier
    )

    node_class: Any = ParsedNode
    node_class.write_node = lambda *_, **__: None
