"""Checkpoints of the walk over the days, so that a batch walks only from the first day that changed.

`raw.judged_days` contains a digest of the inputs of each day's judgement. `raw.judging_states` contains the states
after some days. A changed day, registry or setting deletes the later states. So a walk from a checkpoint has the same
result as a walk over all days.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import duckdb

from quality.checks.results import Cell
from quality.incidents.walk import CellState, Spell, States

# Days for which the states at the first of each month are kept, for late events that change an old day.
KEPT_DAYS = 400

_TABLES = """
    create table if not exists raw.judged_days (event_date date primary key, digest varchar not null);
    create table if not exists raw.judging_states (
        through_date date primary key, rules varchar not null, states varchar not null
    );
"""


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create both tables if they do not exist."""
    connection.execute(_TABLES)


def read_digests(connection: duckdb.DuckDBPyConnection, oldest: date, newest: date) -> dict[date, str]:
    """A digest for each day of the marts, labels and registries that decide it.

    The connection's search path must contain the marts.
    """
    parts = ["select event_date, bit_xor(hash(model_days)) as part from model_days group by event_date"]
    parts.append(
        """
        select event_date, bit_xor(hash(site_id, camera_id, coverage, late_share)) from camera_days group by event_date
        """
    )
    parts.append("select event_date, bit_xor(hash(int_count_days)) from handover.int_count_days group by event_date")
    parts.append(
        """
        select event_date, bit_xor(hash(event_key, model_name, model_version, is_correct))
        from handover.int_labelled_events where is_sampled and not is_disputed group by event_date
        """
    )
    # a closed night shift touches the next UTC day, and far in the east the previous one
    parts.append(
        """
        select cast(day as date), bit_xor(hash(site_id, day)) from (
            select site_id, unnest(generate_series(from_date - 1, to_date + 1, interval 1 day)) as day
            from raw.closures where to_date >= $oldest::date - 1 and from_date <= $newest::date + 1
        ) group by day
        """
    )
    parts.append("select from_date, bit_xor(hash(accepted)) from raw.accepted as accepted group by from_date")
    rows = connection.execute(
        f"""
        select event_date, string_agg(concat(place, ':', part), ' ' order by place) from (
            {" union all ".join(f"select {place} as place, * from ({part})" for place, part in enumerate(parts))}
        ) where event_date between $oldest and $newest group by event_date
        """,
        {"oldest": oldest, "newest": newest},
    ).fetchall()
    return dict(rows)


def rules_digest(*values: object) -> str:
    """A digest of the inputs that decide every day: settings and baselines."""
    return hashlib.md5(repr(values).encode(), usedforsecurity=False).hexdigest()


def restart(
    connection: duckdb.DuckDBPyConnection, digests: Mapping[date, str], rules: str, oldest: date, latest: date
) -> tuple[date, States]:
    """The first day to walk, and the states before it: the newest valid checkpoint up to `latest`.

    Deletes checkpoints that are no longer valid. Without a valid one, returns `oldest` and no states.
    """
    known = dict(connection.execute("select event_date, digest from raw.judged_days").fetchall())
    newest_known = max(known, default=date.min)
    days = {*digests, *(day for day in known if day >= oldest)}
    changed = min((day for day in days if day <= newest_known and known.get(day) != digests.get(day)), default=date.max)
    found = connection.execute(
        """
        select through_date, states from raw.judging_states
        where rules = ? and through_date < ? and through_date <= ? order by through_date desc limit 1
        """,
        [rules, changed, latest],
    ).fetchone()
    connection.execute("delete from raw.judging_states where rules <> ? or through_date >= ?", [rules, changed])
    if found is None:
        return oldest, {}
    return max(oldest, found[0] + timedelta(days=1)), read_states(found[1])


def remember(
    connection: duckdb.DuckDBPyConnection, digests: Mapping[date, str], rules: str, states: Mapping[date, str]
) -> None:
    """Store the digests of all days, and the states after some days as text of `write_states`."""
    connection.execute("delete from raw.judged_days")
    if digests:
        connection.execute(
            "insert into raw.judged_days select unnest($days), unnest($digests)",
            {"days": list(digests), "digests": list(digests.values())},
        )
    for through, text in states.items():
        connection.execute("insert or replace into raw.judging_states values (?, ?, ?)", [through, rules, text])
    connection.execute(
        """
        delete from raw.judging_states
        using (select max(through_date) as newest from raw.judging_states)
        where through_date < newest and (day(through_date) <> 1 or through_date < newest - $days::integer)
        """,
        {"days": KEPT_DAYS},
    )


def write_states(states: States) -> str:
    """The states as text."""
    return json.dumps(
        [[metric, _cell(cell), _state(state)] for (metric, cell), state in sorted(states.items(), key=str)],
        separators=(",", ":"),
    )


def read_states(text: str) -> States:
    """The states from a text of `write_states`."""
    return {(metric, Cell(*cell)): _read_state(state) for metric, cell, state in json.loads(text)}


def _cell(cell: Cell) -> list[str]:
    return [getattr(cell, part) for part in Cell.__slots__]


def _state(state: CellState) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "recent": [[day.isoformat(), bad] for day, bad in state.recent],
        "clean": state.clean,
        "unheard": state.unheard,
        "faults": [[first.isoformat(), last.isoformat()] for first, last in state.faults],
        "open": None,
        "members": None if state.members is None else sorted(map(_cell, state.members)),
    }
    for name in ("last_evidence", "frozen_on", "normal_from"):
        plain[name] = _text(getattr(state, name))
    if state.open is not None:
        plain["open"] = {
            name: _text(value) for name, value in asdict(state.open).items() if name not in ("cell", "metric")
        }
        plain["open"].update(metric=state.open.metric, cell=_cell(state.open.cell))
    return plain


def _read_state(plain: Mapping[str, Any]) -> CellState:
    opened = None
    if plain["open"] is not None:
        given = dict(plain["open"])
        for name in ("first", "last", "opened_on"):
            given[name] = date.fromisoformat(given[name])
        opened = Spell(**{**given, "cell": Cell(*given["cell"])})
    return CellState(
        recent=[(date.fromisoformat(day), bad) for day, bad in plain["recent"]],
        clean=plain["clean"],
        unheard=plain["unheard"],
        last_evidence=_day(plain["last_evidence"]),
        frozen_on=_day(plain["frozen_on"]),
        faults=[(date.fromisoformat(first), date.fromisoformat(last)) for first, last in plain["faults"]],
        normal_from=_day(plain["normal_from"]),
        open=opened,
        members=None if plain["members"] is None else {Cell(*cell) for cell in plain["members"]},
    )


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
