"""Checks, before a batch lands, archives or deletes anything, that this is the warehouse the plant has been using.

A batch into an empty, older or foreign warehouse would publish an empty plant and report success. Each landing
therefore leaves a small state file in two places, the data folder and the bucket's archive, and the next landing
compares them with the warehouse. The copy of the manifest in the published version is compared as well.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import duckdb

from ingestion.bucket import ARCHIVE_PREFIX, Bucket
from ingestion.durable import write_whole
from ingestion.errors import BucketError, WarehouseError, WarehouseLostError
from ingestion.settings import Settings

STATE_NAME = "warehouse-state.json"
# A hidden name, so that no listing mistakes it for an archived object.
ARCHIVED_STATE = f"{ARCHIVE_PREFIX}.{STATE_NAME}"

_KEY_TABLE = "create table if not exists raw.state_key (key varchar not null)"
# Fragments of DuckDB's messages about a damaged file. A lock, a missing permission or a full disk reads differently.
_DAMAGE = ("checksum", "corrupt", "not a valid duckdb", "serialization", "deserialize", "internal error")


@dataclass(frozen=True, slots=True)
class State:
    """The state after a landing: the manifest's object count, and the newest object's number and landing time (UTC).

    `signature` is an HMAC-SHA-256 under a key stored only in the warehouse: a state that another warehouse left, or
    that somebody edited, does not verify.
    """

    objects: int
    newest_object_id: int
    newest_landing: str
    signature: str = ""

    def signed(self, key: str) -> State:
        """The same state, signed with a key."""
        text = f"{self.objects} {self.newest_object_id} {self.newest_landing}"
        signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
        return State(self.objects, self.newest_object_id, self.newest_landing, signature)


def note_state(
    settings: Settings, connection: duckdb.DuckDBPyConnection, bucket: Bucket, log: Callable[[str], None]
) -> None:
    """Write the state of the warehouse where the next batch looks for it, if it has changed.

    A state older than the warehouse does no harm, so a bucket that refuses the file only causes a log line.
    """
    state = _state_of(connection)
    if state is None:
        return
    state = state.signed(_key_of(connection))
    content = json.dumps(asdict(state))
    is_new = _read_local(settings) != state
    if is_new:
        write_whole(settings.data_dir / STATE_NAME, content)
    try:
        # A new state is written without a look at the old one, which the batch has read when it began.
        if is_new or _read_archived(bucket) != state:
            bucket.put(ARCHIVED_STATE, content.encode())
    except BucketError as error:
        log(f"the state of the warehouse could not be written to the bucket: {error}")


def require_whole_warehouse(settings: Settings, bucket: Bucket) -> None:
    """Stop if data has landed before and the warehouse is missing, damaged, older than that data, or another plant's.

    Reads only the manifest's newest row and the two state files. The caller holds the lock.

    Raises:
        WarehouseLostError: the message says what is wrong; nothing was changed.
    """
    known, key = _known(settings)
    states = [state for state in (_read_local(settings), _read_archived(bucket)) if state is not None]
    published = _published_manifest(settings)
    if known is None:
        if states or published.objects or _has_archive(bucket):
            count = max([published.objects, *(state.objects for state in states)])
            landed = f"{count:,} objects were landed before" if count else "objects were landed before"
            raise WarehouseLostError(_sentence(settings, "is missing or empty", landed))
        return
    for state in states:
        if state.signed(key).signature != state.signature:
            raise WarehouseLostError(
                _sentence(settings, "is not the one that was used here last", "its state file does not fit")
            )
    newest = max([published, *states], key=lambda state: (state.newest_object_id, state.objects))
    if newest.newest_object_id > known.newest_object_id or newest.newest_landing > known.newest_landing:
        reached, wanted = (state.newest_landing[:19].replace("T", " ") for state in (known, newest))
        raise WarehouseLostError(
            _sentence(
                settings, "is older than what was published or archived", f"it ends at {reached}, not at {wanted}"
            )
        )


def _sentence(settings: Settings, fault: str, evidence: str) -> str:
    return (
        f"The warehouse {settings.warehouse_path} {fault} ({evidence}); nothing was landed or archived and the last "
        "published version stays. Restore a backup into an empty data folder (floorhouse restore), or run "
        "floorhouse rebuild to make it from the archive."
    )


def _known(settings: Settings) -> tuple[State | None, str]:
    """The state of the warehouse file and its signing key; (None, "") if nothing has landed in it."""
    path = settings.warehouse_path
    if not path.exists() or path.stat().st_size == 0:
        return None, ""
    try:
        with duckdb.connect(path) as connection:
            connection.execute("set timezone = 'UTC'")
            if not connection.execute(
                "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'landed_objects'"
            ).fetchone():
                return None, ""
            return _state_of(connection), _stored_key(connection)
    except duckdb.Error as error:
        reason = str(error).strip().split("\n", 1)[0]
        if any(word in reason.lower() for word in _DAMAGE):
            raise WarehouseLostError(_sentence(settings, "is damaged", reason[:200])) from error
        raise WarehouseError(f"The warehouse {path} cannot be opened: {reason}") from error


def _state_of(connection: duckdb.DuckDBPyConnection) -> State | None:
    row = connection.execute("select count(*), max(object_id), max(landed_at) from raw.landed_objects").fetchone()
    if row is None or not row[0]:
        return None
    return State(int(row[0]), int(row[1]), _text(row[2]))


def _key_of(connection: duckdb.DuckDBPyConnection) -> str:
    """The signing key of a warehouse open for writing; created if it has none."""
    connection.execute(_KEY_TABLE)
    key = _stored_key(connection)
    if not key:
        key = secrets.token_hex(16)
        connection.execute("insert into raw.state_key values (?)", [key])
    return key


def _stored_key(connection: duckdb.DuckDBPyConnection) -> str:
    """The signing key of a warehouse open for reading; empty if no landing has written a state yet."""
    if not connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'state_key'"
    ).fetchone():
        return ""
    row = connection.execute("select key from raw.state_key").fetchone()
    return str(row[0]) if row else ""


def _published_manifest(settings: Settings) -> State:
    """The state in the published copy of the manifest, which does not hold object numbers."""
    path = settings.published_path / "landed_objects.parquet"
    try:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            files = str(path / "*.parquet") if path.is_dir() else str(path)
            row = connection.execute(
                "select count(*), max(landed_at) from read_parquet($files)", {"files": files}
            ).fetchone()
    except duckdb.Error:  # nothing is published, or it is incomplete: no evidence either way
        return State(0, 0, "")
    return State(int(row[0]), 0, _text(row[1])) if row and row[0] else State(0, 0, "")


def _has_archive(bucket: Bucket) -> bool:
    return next(iter(bucket.list(ARCHIVE_PREFIX)), None) is not None


def _read_local(settings: Settings) -> State | None:
    try:
        return _parse((settings.data_dir / STATE_NAME).read_bytes())
    except OSError:
        return None


def _read_archived(bucket: Bucket) -> State | None:
    for fetched in bucket.fetch([ARCHIVED_STATE], 4096):
        return _parse(fetched.content or b"")
    return None


def _parse(content: bytes) -> State | None:
    """The state in a file; None if the file is incomplete. Then it is no evidence, and the next landing rewrites it."""
    try:
        return State(**json.loads(content))
    except (ValueError, TypeError):
        return None


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
