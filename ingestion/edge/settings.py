"""The settings of the edge uploader: one frozen class, read once from `FLOORHOUSE_EDGE_*` and checked at the start.

No other module of this folder reads the environment, except for the `AWS_*` variables of an `s3://` target.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ingestion.edge.disk import on_disk
from ingestion.edge.names import Stream, why_not_an_identifier
from ingestion.errors import SettingsError
from ingestion.variables import unknown_variable

ENVIRONMENT_PREFIX = "FLOORHOUSE_EDGE_"
REFUSE, DROP_OLDEST = "refuse", "drop_oldest"


def _setting(default: Any, allowed: str, read: Callable[[str], Any]) -> Any:
    """A field. `read` makes the value from a text or raises ValueError; `allowed` ends the sentence of the error."""
    return field(default=default, metadata={"allowed": allowed, "read": read})


def _whole(default: int, least: int, unit: str) -> Any:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,15}", text) or int(text) < least:
            raise ValueError(text)
        return int(text)

    return _setting(default, f"a whole number of {unit}, at least {least}", read)


def _seconds(default: float) -> Any:
    def read(text: str) -> float:
        if not math.isfinite(float(text)) or not 0 < float(text) <= 86_400:
            raise ValueError(text)
        return float(text)

    return _setting(default, "a number of seconds above 0, at most 86400", read)


def _folder(default: str) -> Any:
    def read(text: str) -> Path:
        path = Path(text).expanduser().absolute()
        if path.exists() and not path.is_dir():
            raise ValueError(text)
        return path

    return _setting(default or None, "the path of a folder", read)


def _identifier(default: str) -> Any:
    def read(text: str) -> str:
        if why_not_an_identifier(text):
            raise ValueError(text)
        return text.strip(" ")

    return _setting(default, "a text of 1 to 64 characters without slashes and control characters", read)


def _read_url(text: str) -> str:
    if text and not re.fullmatch("file:///.*|s3://[^/]+.*", text):
        raise ValueError(text)
    return text


def _read_when_full(text: str) -> str:
    if text not in (REFUSE, DROP_OLDEST):
        raise ValueError(text)
    return text


@dataclass(frozen=True)
class EdgeSettings:
    """What a gateway's administrator may choose. Paths are absolute; seconds may have fractions."""

    target_url: str = _setting("", "file:///folder or s3://bucket/prefix", _read_url)
    spool_dir: Path = _folder("edge-spool")  # noqa: RUF009  # makes a field
    inbox_dir: Path = _folder("")  # noqa: RUF009  # makes a field; unset: the folder inbox/ of the spool
    site_id: str = _identifier("default")
    camera_id: str = _identifier("unknown")
    object_max_bytes: int = _whole(1_048_576, 256, "bytes")
    object_max_events: int = _whole(5_000, 1, "events")
    object_max_age_seconds: float = _seconds(60)
    spool_max_bytes: int = _whole(1_073_741_824, 256, "bytes")
    when_full: str = _setting(REFUSE, f"{REFUSE} or {DROP_OLDEST}", _read_when_full)
    retry_base_seconds: float = _seconds(1)
    retry_max_seconds: float = _seconds(300)
    request_timeout_seconds: float = _seconds(60)
    poll_seconds: float = _seconds(1)
    report_seconds: float = _seconds(60)

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None:  # the inbox, whose default is below the spool
                value = self.spool_dir / "inbox"
            try:
                object.__setattr__(self, one.name, one.metadata["read"](str(value)))
            except ValueError as error:
                raise _bad(one.name, value, one.metadata["allowed"]) from error
        if self.spool_max_bytes < on_disk(self.object_max_bytes):
            needed = on_disk(self.object_max_bytes)
            allowed = f"at least {ENVIRONMENT_PREFIX}OBJECT_MAX_BYTES in whole blocks of the disk ({needed})"
            raise _bad("spool_max_bytes", self.spool_max_bytes, allowed)
        if self.retry_max_seconds < self.retry_base_seconds:
            allowed = f"at least {ENVIRONMENT_PREFIX}RETRY_BASE_SECONDS ({self.retry_base_seconds:g})"
            raise _bad("retry_max_seconds", f"{self.retry_max_seconds:g}", allowed)

    @property
    def stream(self) -> Stream:
        """The camera of records and files that name none."""
        return Stream(self.site_id, self.camera_id)

    def require_target(self) -> str:
        """The target's URL.

        Raises:
            SettingsError: it is not set.
        """
        if not self.target_url:
            allowed = fields(self)[0].metadata["allowed"]
            raise SettingsError(f"{ENVIRONMENT_PREFIX}TARGET_URL is not set; allowed: {allowed}.")
        return self.target_url


def read_edge_settings(environment: Mapping[str, str] | None = None) -> EdgeSettings:
    """The settings in the environment. An empty variable counts as unset.

    Raises:
        SettingsError: a value is not allowed, or a variable with the prefix is no setting.
    """
    environment = os.environ if environment is None else environment
    # An ignored misspelt limit would fill a disk months later.
    if sentence := unknown_variable(environment):
        raise SettingsError(sentence)
    known = {ENVIRONMENT_PREFIX + one.name.upper(): one.name for one in fields(EdgeSettings)}
    given = {}
    for variable, value in environment.items():
        if variable in known and value.strip():
            given[known[variable]] = value.strip()
    return EdgeSettings(**given)  # type: ignore[arg-type]  # each field reads its value from a text


def _bad(name: str, value: object, allowed: str) -> SettingsError:
    return SettingsError(f"{ENVIRONMENT_PREFIX}{name.upper()} is {str(value)!r}; allowed: {allowed}.")
