"""The closed database: what is no mapping is refused with file, line and reason, and nothing runs without bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from ingestion.mapping.checking import LINES_BEFORE, check
from ingestion.mapping.closed import ClosedDatabase
from ingestion.mapping.mapping import Mapping, MappingError, is_name


@pytest.fixture(scope="module")
def database() -> Iterator[ClosedDatabase]:
    with closing(ClosedDatabase(memory="200MiB")) as made:
        yield made


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select position from read_csv('/etc/passwd')", "line 1: it reads read_csv()"),
        ("select position\nfrom records, '/etc/passwd'", "line 2: it reads '/etc/passwd'"),
        ("select position from records, glob('/*')", "line 1: it reads glob()"),
        ("select position from query('select * from records')", "line 1: it reads query()"),
        ("select position from records, duckdb_settings()", "line 1: it reads duckdb_settings()"),
        ("select position from information_schema.tables", "line 1: it reads 'tables'"),
        ("attach '/tmp/x.db'", "a statement of the kind ATTACH"),
        ("copy records to '/tmp/x'", "a statement of the kind COPY"),
        ("pragma database_list", "a statement of the kind PRAGMA"),
        ("install httpfs", "a statement of the kind LOAD"),
        ("set threads = 8", "a statement of the kind SET"),
        ("delete from records", "a statement of the kind DELETE"),
        ("select position from records; select 1", "it has 2 statements"),
        ("select position from records; drop table records", "it has 2 statements"),
        ("-- nothing", "it has 0 statements"),
        ("select position from records) union all (select 1", "line 1: syntax error"),
        ("select position,\n\n  nope\nfrom records", 'line 3: Referenced column "nope" not found'),
        ("select position, now() as timestamp from records", "the value of now() changes"),
        ("select position, current_timestamp as timestamp from records", "current_timestamp changes"),
        ("select position, random() as confidence from records", "the value of random() changes"),
        ("select position, getvariable('x') from records", "the value of getvariable() changes"),
        ("select position, $x from records", "it has a parameter (x)"),
        ("describe records", "it describes a table"),
        ("select record from records", "it yields no position"),
        ("select 'a' as position from records", "its position is VARCHAR"),
    ],
)
def test_what_is_no_mapping_is_refused(database: ClosedDatabase, sql: str, reason: str) -> None:
    with pytest.raises(MappingError) as refused:
        check(Mapping("axis", sql), database)
    message = str(refused.value)
    assert message.startswith("registry/mappings/axis.sql")
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "sql",
    [
        "/tmp/closed.csv",
        "attach '/tmp/x.db' as other",
        "copy records to '/tmp/x.csv'",
        "set enable_external_access = true",
        "reset lock_configuration",
        "select * from read_text('/etc/hostname')",
    ],
)
def test_the_database_is_closed_even_without_the_check(database: ClosedDatabase, sql: str) -> None:
    with pytest.raises(MappingError), database.bounded("a.sql", 0, hides_values=False):
        database.connection.execute(sql)


@pytest.mark.parametrize(
    ("seconds", "sql", "reason"),
    [
        (
            0.5,
            "with recursive r as (select 1 as p union all select p + 1 from r) select max(p) as position from r",
            "0.5 s",
        ),
        (60, "select 1 as position, list(a.range) as x from range(1000000000000) a", "it needs more than"),
    ],
    ids=["endless", "huge"],
)
def test_time_and_memory_are_bounded_and_the_database_goes_on(seconds: float, sql: str, reason: str) -> None:
    with closing(ClosedDatabase(memory="200MiB", seconds=seconds)) as database:
        checked = check(Mapping("axis", sql), database)
        with pytest.raises(MappingError, match=reason), database.bounded("a.sql", LINES_BEFORE, hides_values=True):
            database.connection.execute(checked.statement).fetchall()
        assert database.connection.execute("select count(*) from records").fetchone() == (0,)


def test_a_mapping_yields_its_columns_as_records(database: ClosedDatabase) -> None:
    database.connection.execute(
        """insert into records values ('{"a": {"b": [1]}, "n": null}', 'events/k', 3, '2026-01-15T10:00:00Z')"""
    )
    checked = check(
        Mapping(
            "axis",
            """-- a ; b
            select position, arrived_at as timestamp, arrived_at::timestamp as bare, 'nan'::double as confidence,
                record -> 'a' as nested, record ->> 'n' as gone, 170141183460469231731687303715884105727 as count,
                'x"y' as "odd ""name'", '; ' as z
            from records; -- c ; d""",
        ),
        database,
    )
    rows = database.connection.execute(checked.statement).fetchall()
    database.connection.execute("delete from records")
    line = (
        '{"timestamp":"2026-01-15T10:00:00.000000Z","bare":"2026-01-15T10:00:00.000000","confidence":"nan",'
        '"nested":{"b":[1]},"count":170141183460469231731687303715884105727,"odd \\"name\'":"x\\"y","z":"; "}\n'
    )
    assert rows == [(3, line)]


def test_thinning_keeps_changes_and_one_record_in_each_stretch(database: ClosedDatabase) -> None:
    states = ["idle", "idle", "absent", None, None, "idle"]
    database.connection.executemany(
        "insert into records values (json_object('s', ?), ?, ?, to_timestamp(1000 + ?))",
        [(state, key, place, 4 * place) for key in "ab" for place, state in enumerate(states)],
    )
    kept = {}
    for name, macro in (
        ("changes", "is_change(record ->> 's', object_key, 1, arrived_at, position)"),
        ("stretches", "is_first_of(10, object_key, 1, arrived_at, position)"),
    ):
        checked = check(Mapping("axis", f"select position, object_key from records qualify {macro}"), database)
        rows = database.connection.execute(checked.statement).fetchall()
        kept[name] = sorted(position for position, line in rows if '"a"' in line)
        assert len(rows) == 2 * len(kept[name])  # each object on its own
    database.connection.execute("delete from records")
    assert kept == {"changes": [0, 2, 3, 5], "stretches": [0, 3, 5]}


def test_the_names_that_a_mapping_can_have() -> None:
    assert [name for name in ("frigate", "A-1_b.c", "", ".a", "_a", "a/b", "a b", "x" * 65, "ä") if is_name(name)] == [
        "frigate",
        "A-1_b.c",
    ]
