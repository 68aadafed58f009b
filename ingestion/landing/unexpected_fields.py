"""Records which cameras send fields that the contract does not define. `ingestion/reading` collects the names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import duckdb
import pyarrow as pa

from ingestion.contract.events import DEFAULT_SITE, UNKNOWN, folder_of
from ingestion.contract.identifiers import identifier_or_none, visible
from ingestion.contract.resembling import resembled

_SHOWN = 3  # cameras named in one log line

# Field names kept per site, the first in byte order.
MAX_SITE_FIELDS = 1_000
# Cameras named per object, the first in byte order: every unknown field of the object counts for each of them.
MAX_OBJECT_CAMERAS = 50


def record_unexpected_fields(connection: duckdb.DuckDBPyConnection, object_ids: Iterable[int]) -> list[str]:
    """Rewrite `raw.unexpected_fields` for landed objects: one row for each unknown field × camera with events in the
    object, of at most `MAX_OBJECT_CAMERAS`. An object without events counts for the camera in its key's folders.

    The caller's transaction holds the objects, their names and their events. Returns a sentence for each bound that
    was reached.
    """
    # DuckDB finds this table by its variable name
    scope = pa.table({"object_id": pa.array(list(object_ids), pa.int64())})
    if not scope.num_rows:
        return []
    connection.execute(
        "delete from raw.unexpected_fields using scope where unexpected_fields.object_id = scope.object_id"
    )
    keys = connection.execute(
        "select object_id, object_key from raw.landed_objects semi join scope using (object_id) "
        "where len(unexpected_fields) > 0"
    ).fetchall()
    if not keys:
        return []
    folders = [folder_of(key) for _, key in keys]
    named = pa.table(  # noqa: F841
        {
            "object_id": pa.array([object_id for object_id, _ in keys], pa.int64()),
            "site_id": [_storable(folder.site_id or DEFAULT_SITE) for folder in folders],
            "camera_id": [_storable(folder.camera_id or UNKNOWN) for folder in folders],
        }
    )
    connection.execute(
        """
        insert into raw.unexpected_fields by name
        with cameras as (
            select object_id, site_id, camera_id
            from (
                select distinct object_id, site_id, camera_id
                from raw.events
                semi join named using (object_id)
                where object_id >= $first_id
            )
            qualify row_number() over (partition by object_id order by site_id, camera_id) <= $most
        ),

        fields as (
            select object_id, unnest(unexpected_fields) as field
            from raw.landed_objects
            semi join named using (object_id)
        )

        select
            fields.object_id,
            fields.field,
            coalesce(cameras.site_id, named.site_id) as site_id,
            coalesce(cameras.camera_id, named.camera_id) as camera_id
        from fields
        inner join named using (object_id)
        left join cameras using (object_id)
        """,
        {"first_id": min(object_id for object_id, _ in keys), "most": MAX_OBJECT_CAMERAS},
    )
    first_id = min(object_id for object_id, _ in keys)
    return [*_more_cameras(connection, first_id), *map(_sentence, _keep_first(connection))]


def _more_cameras(connection: duckdb.DuckDBPyConnection, first_id: int) -> list[str]:
    """What to say of objects whose cameras are not all named."""
    row = connection.execute(
        """
        select count(*) from (
            select object_id
            from raw.events
            semi join raw.unexpected_fields using (object_id)
            where object_id >= $first_id
            group by object_id
            having count(distinct (site_id, camera_id)) > $most
        )
        """,
        {"first_id": first_id, "most": MAX_OBJECT_CAMERAS},
    ).fetchone()
    if not row or not row[0]:
        return []
    more = f"more than {MAX_OBJECT_CAMERAS} cameras, of which the first in byte order are named"
    return [f"{row[0]:,} objects have fields that nobody expects and {more}"]


def _sentence(site: str) -> str:
    most = f"{MAX_SITE_FIELDS:,}"
    return f"site {site} sends more than {most} fields that nobody expects, of which the first in byte order are kept"


def _keep_first(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Delete a site's names beyond its first `MAX_SITE_FIELDS`; return the sites that had more."""
    sites = connection.execute(
        "select site_id from raw.unexpected_fields group by site_id having count(distinct field) > ? order by site_id",
        [MAX_SITE_FIELDS],
    ).fetchall()
    for (site,) in sites:
        connection.execute(
            """
            delete from raw.unexpected_fields
            where site_id = $site and field > (
                select max(field) from (
                    select distinct field from raw.unexpected_fields where site_id = $site order by field limit $most
                )
            )
            """,
            {"site": site, "most": MAX_SITE_FIELDS},
        )
    return [site for (site,) in sites]


def say_resembling(connection: duckdb.DuckDBPyConnection, after: int, log: Callable[[str], None]) -> None:
    """One message for each unexpected field, in objects landed `after` this one, that resembles a field of the
    contract.
    """
    rows = connection.execute(
        """
        select field, site_id, list_sort(list(distinct camera_id)) as cameras
        from raw.unexpected_fields
        where object_id > $after
        group by field, site_id
        order by site_id, field
        """,
        {"after": after},
    ).fetchall()
    for field, site, cameras in rows:
        if meant := resembled(field):
            more = f" and {len(cameras) - _SHOWN:,} more" if len(cameras) > _SHOWN else ""
            named = f"camera{'s' * (len(cameras) > 1)} {', '.join(cameras[:_SHOWN])}{more}"
            log(f"site {site}: {named} sent {field}, which resembles {meant} and is not read; {meant} was meant?")


def _storable(name: str) -> str:
    """A folder's value in the form that events have, or printable if it is no identifier."""
    return identifier_or_none(name) or visible(name)
