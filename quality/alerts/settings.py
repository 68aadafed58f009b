"""The settings of alerts: variables `FLOORHOUSE_ALERT_…`, or the table `[alert]` of floorhouse.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from ingestion.settings_sources import FrozenSettings, read_model, setting

PREFIX = "FLOORHOUSE_ALERT_"


# One address, bare or with a name before it: "Line lead <lead@plant.example>".
_ADDRESS = re.compile(r"(?:[^<>@,;\r\n]*<)?[^\s<>@,;]+@[^\s<>@,;]+>?")


class AlertSettings(FrozenSettings):
    """The sinks that an administrator can set up. Each secret can be in a file of its own."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)

    webhook_url: SecretStr | None = setting(
        None,
        means="The address of a Slack-compatible webhook, which is a secret.",
        allowed="the https:// or http:// address of a Slack-compatible webhook",
    )
    webhook_url_file: Path | None = setting(
        None,
        means="A file that contains the webhook's address.",
        allowed="a file that holds the https:// or http:// address of a Slack-compatible webhook",
    )
    smtp_host: str | None = setting(
        None, means="The mail server; it also needs a sender and receivers.", allowed="the name of a mail server"
    )
    smtp_port: int = setting(587, ge=1, le=65_535, means="The mail server's port.", allowed="a port from 1 to 65535")
    smtp_security: str = setting(
        "starttls",
        pattern="^(starttls|tls|none)$",
        means="The encryption of the connection to the mail server.",
        allowed="starttls, tls or none",
    )
    smtp_user: str | None = setting(
        None, means="The name to log in at the mail server.", allowed="the mail server's user name"
    )
    smtp_password: SecretStr | None = setting(
        None, means="The password to log in at the mail server.", allowed="the mail server's password"
    )
    smtp_password_file: Path | None = setting(
        None,
        means="A file that contains the mail server's password.",
        allowed="a file that holds the mail server's password",
    )
    mail_from: str | None = setting(
        None, means="The sender of mails.", allowed="the sender's address; needed with SMTP_HOST"
    )
    mail_to: str | None = setting(
        None,
        means="The receivers of mails, with commas or semicolons between them.",
        allowed="addresses with commas or semicolons between them; needed with SMTP_HOST and MAIL_FROM",
    )
    heartbeat_url: SecretStr | None = setting(
        None,
        means="The address that is called after each finished batch, for a service that raises an alarm if no call "
        "comes; it is a secret.",
        allowed="the https:// or http:// address of a service that waits for calls",
    )
    heartbeat_url_file: Path | None = setting(
        None,
        means="A file that contains the heartbeat's address.",
        allowed="a file that holds the https:// or http:// address of a service that waits for calls",
    )
    timeout_seconds: float = setting(
        10,
        gt=0,
        le=120,
        means="The time-out in seconds of a sink's attempt, which is tried again later, and of a heartbeat.",
        allowed="a number of seconds above 0, at most 120",
    )

    @field_validator("webhook_url", "heartbeat_url")
    @classmethod
    def _http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _require_address(value.get_secret_value())
        return value

    @field_validator("webhook_url_file", "heartbeat_url_file")
    @classmethod
    def _holds_an_address(cls, value: Path | None) -> Path | None:
        if value is not None:
            _require_address(_read(value))
        return value

    @field_validator("smtp_password_file")
    @classmethod
    def _holds_a_password(cls, value: Path | None) -> Path | None:
        if value is not None and not _read(value):
            raise ValueError("empty")
        return value

    @field_validator("mail_from", "mail_to")
    @classmethod
    def _addresses(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            addresses = [value] if info.field_name == "mail_from" else _split(value)
            if not addresses or not all(_ADDRESS.fullmatch(address) for address in addresses):
                raise ValueError("no address")
        return value

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, values: dict[str, object]) -> dict[str, object]:
        # A mail server without sender or receivers would lose every mail silently. So the missing field gets an invalid
        # value, and the error names it.
        if values.get("smtp_host"):
            for name in ("mail_from", "mail_to"):
                values.setdefault(name, "(unset)")
        return values

    @property
    def recipients(self) -> list[str]:
        """The addresses that get mails, one by one."""
        return _split(self.mail_to or "")

    @property
    def webhook(self) -> str | None:
        """The webhook's address from the setting, or else from the file; None if neither is set."""
        return _secret(self.webhook_url, self.webhook_url_file)

    @property
    def heartbeat(self) -> str | None:
        """The heartbeat's address from the setting, or else from the file; None if neither is set."""
        return _secret(self.heartbeat_url, self.heartbeat_url_file)

    @property
    def password(self) -> str | None:
        """The mail server's password from the setting, or else from the file; None if neither is set."""
        return _secret(self.smtp_password, self.smtp_password_file)

    @property
    def sinks(self) -> tuple[str, ...]:
        """The names of the sinks that are set up; the file is always one."""
        webhook = ("webhook",) if self.webhook_url or self.webhook_url_file else ()
        return ("file", *webhook, *(("mail",) if self.smtp_host else ()))


def _split(addresses: str) -> list[str]:
    return [address.strip() for address in re.split("[,;]", addresses) if address.strip()]


def read_alert_settings(environment: Mapping[str, str] | None = None) -> AlertSettings:
    """Read the sinks from the environment and the data folder's file.

    Raises:
        SettingsError: a value is not allowed; one sentence names the variable or the file's key, and what is allowed.
    """
    return read_model(AlertSettings, environment)


def _secret(given: SecretStr | None, file: Path | None) -> str | None:
    if given is not None:
        return given.get_secret_value()
    return None if file is None else _read(file)


def _read(path: Path) -> str:
    try:
        return path.expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError("cannot be read") from error


def _require_address(text: str) -> None:
    address = urlsplit(text)
    if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
        raise ValueError("no address")
