"""The settings of the bridge: one frozen class, read once and checked before the broker is asked.

The spool, its limit and its target are the edge uploader's settings (`ingestion.edge.settings`); the bridge needs both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from ingestion.bridge.topics import BadPattern, Pattern, read_patterns
from ingestion.edge.disk import on_disk
from ingestion.edge.settings import ENVIRONMENT_PREFIX as EDGE_PREFIX
from ingestion.edge.settings import REFUSE, EdgeSettings, read_edge_settings
from ingestion.errors import SettingsError
from ingestion.settings_sources import FrozenSettings, read_model, setting

ENVIRONMENT_PREFIX = "FLOORHOUSE_BRIDGE_"
# The bytes that the largest message of MQTT (268,435,455) takes at most in the spool: in base64, beside its topic.
LARGEST_MESSAGE = 268_435_455 * 4 // 3 + 1_048_576
NEVER = 2**32 - 1  # as MQTT 5 writes a session that never expires
PORTS = {"mqtt": 1883, "mqtts": 8883}


class BridgeSettings(FrozenSettings):
    """Where the broker is, who the bridge is there, and which topics it takes."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX)

    broker_url: str | None = setting(
        None, means="The broker's address.", allowed="mqtt://host:port, or mqtts://host:port for TLS"
    )
    topics: str | None = setting(
        None,
        means="The topics to take, and the folders that they give, with semicolons between them.",
        allowed="topic filters as the bridge's README has them, such as plant/{site_id}/{camera_id}/events",
    )
    mqtt_version: Literal["5", "3.1.1"] = setting(
        "3.1.1",
        means="The version of MQTT; 3.1.1 is the faster one here, 5 says how long a session lasts.",
        allowed="5 or 3.1.1",
    )
    client_id: str = setting(
        "floorhouse-bridge",
        pattern=r"^[!-~]{1,64}$",
        means="The name of the session at the broker; each bridge has its own, and keeps it.",
        allowed="1 to 64 printable ASCII characters without spaces",
    )
    user: str | None = setting(None, means="The name to log in at the broker.", allowed="the broker's user name")
    password: SecretStr | None = setting(
        None, means="The password to log in at the broker.", allowed="the broker's password"
    )
    password_file: Path | None = setting(
        None, means="A file that contains the broker's password.", allowed="a file that holds the broker's password"
    )
    ca_file: Path | None = setting(
        None,
        means="The certificates of the authorities that the broker's is signed by; unset: those of the machine.",
        allowed="a file of certificates in PEM form",
    )
    client_certificate_file: Path | None = setting(
        None,
        means="The bridge's own certificate, where the broker asks for one.",
        allowed="a file with a certificate in PEM form; needed with CLIENT_KEY_FILE",
    )
    client_key_file: Path | None = setting(
        None,
        means="The key of the bridge's own certificate, without a pass phrase.",
        allowed="a file with a key in PEM form; needed with CLIENT_CERTIFICATE_FILE",
    )
    session_expiry_seconds: int = setting(
        604_800,
        ge=60,
        le=NEVER,
        means="How long the broker keeps the session of an absent bridge, with MQTT 5; 4294967295: for ever.",
        allowed="a number of seconds from 60 to 4294967295",
    )
    keepalive_seconds: int = setting(
        60,
        ge=5,
        le=3600,
        means="After how long without a word a connection counts as lost.",
        allowed="a number of seconds from 5 to 3600",
    )
    receive_maximum: int = setting(
        2_000,
        ge=1,
        le=65_535,
        means="Messages that are taken together, and with MQTT 5 those that the broker sends before it waits.",
        allowed="a whole number from 1 to 65535",
    )
    group_bytes: int = setting(
        4 << 20,
        ge=1 << 10,
        le=64 << 20,
        means="Bytes of messages that are taken together.",
        allowed="a number of bytes from 1024 to 67108864",
    )
    retry_base_seconds: float = setting(
        1,
        gt=0,
        le=3600,
        means="The first wait at most before the bridge asks the broker again.",
        allowed="a number of seconds above 0, at most 3600",
    )
    retry_max_seconds: float = setting(
        60, gt=0, le=3600, means="The longest such wait.", allowed="a number of seconds above 0, at most 3600"
    )

    @field_validator("broker_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            address = urlsplit(value)
            is_plain = address.path in ("", "/") and not (address.query or address.fragment or "@" in address.netloc)
            if address.scheme not in PORTS or not address.hostname or address.port == 0 or not is_plain:
                raise ValueError("no address")
        return value

    @field_validator("password_file", "ca_file", "client_certificate_file", "client_key_file")
    @classmethod
    def _is_a_file(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        path = value.expanduser().absolute()
        try:
            is_empty = not path.read_bytes().strip()
        except OSError as error:
            raise ValueError("cannot be read") from error
        if is_empty:
            raise ValueError("empty")
        return path

    @property
    def host(self) -> str:
        """The broker's host."""
        return urlsplit(self.broker_url or "").hostname or ""

    @property
    def port(self) -> int:
        """The broker's port."""
        address = urlsplit(self.broker_url or "")
        return address.port or PORTS[address.scheme]

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return (self.broker_url or "").startswith("mqtts:")

    @property
    def patterns(self) -> list[Pattern]:
        """The patterns of the topics.

        Raises:
            SettingsError: one of them cannot be used; the sentence says why.
        """
        try:
            return read_patterns(self.topics or "")
        except BadPattern as error:
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}TOPICS is {self.topics!r}, in which {error}; allowed: topic filters as the "
                "bridge's README has them."
            ) from None

    @property
    def secret(self) -> str | None:
        """The password from the setting, or else from the file; None if neither is set."""
        if self.password is not None:
            return self.password.get_secret_value()
        return None if self.password_file is None else self.password_file.read_text(encoding="utf-8").strip()

    def check(self, edge: EdgeSettings) -> None:
        """Refuse settings that do not fit together, before anything is asked for.

        Raises:
            SettingsError: one sentence that names them.
        """
        for name in ("broker_url", "topics"):
            if not getattr(self, name):
                allowed = {"broker_url": "mqtt://host:port or mqtts://host:port", "topics": "topic filters"}[name]
                raise SettingsError(f"{ENVIRONMENT_PREFIX}{name.upper()} is not set; allowed: {allowed}.")
        _ = self.patterns
        if (self.client_certificate_file is None) != (self.client_key_file is None):
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}CLIENT_CERTIFICATE_FILE and {ENVIRONMENT_PREFIX}CLIENT_KEY_FILE need each other; "
                "one of them is not set."
            )
        if self.secret is not None and not self.user:
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}USER is not set, and MQTT has no password without a user; set it too."
            )
        if not self.is_encrypted and (self.ca_file or self.client_certificate_file):
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}BROKER_URL is {self.broker_url!r}, which has no TLS, and certificates are set; "
                "allowed: mqtts://host:port."
            )
        if self.retry_max_seconds < self.retry_base_seconds:
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}RETRY_MAX_SECONDS is {self.retry_max_seconds:g}; allowed: at least "
                f"{ENVIRONMENT_PREFIX}RETRY_BASE_SECONDS ({self.retry_base_seconds:g})."
            )
        if edge.when_full != REFUSE:
            raise SettingsError(
                f"{EDGE_PREFIX}WHEN_FULL is {edge.when_full!r}, which would drop what the broker can keep; allowed for "
                f"a bridge: {REFUSE}."
            )
        # A message that could never be taken would stop the session for ever.
        if edge.spool_max_bytes < on_disk(LARGEST_MESSAGE):
            raise SettingsError(
                f"{EDGE_PREFIX}SPOOL_MAX_BYTES is {edge.spool_max_bytes}; allowed for a bridge: at least "
                f"{on_disk(LARGEST_MESSAGE)}, what the largest message of MQTT can take."
            )


def read_bridge_settings(environment: Mapping[str, str] | None = None) -> tuple[BridgeSettings, EdgeSettings]:
    """The settings of the bridge and of its spool. An empty variable counts as unset.

    Raises:
        SettingsError: one sentence that names the variable, its value and what is allowed.
    """
    return read_model(BridgeSettings, environment), read_edge_settings(environment)
