"""Where alerts go: variables `FLOORHOUSE_ALERT_…`, read from the environment only, as some of them are secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from ingestion.settings import FrozenSettings, read_model

PREFIX = "FLOORHOUSE_ALERT_"


# One address, bare or with a name before it: "Line lead <lead@plant.example>".
_ADDRESS = re.compile(r"(?:[^<>@,;\r\n]*<)?[^\s<>@,;]+@[^\s<>@,;]+>?")


class AlertSettings(FrozenSettings):
    """The sinks that an administrator may set up."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)

    webhook_url: SecretStr | None = Field(
        None, description="the https:// or http:// address of a Slack-compatible webhook"
    )
    smtp_host: str | None = Field(None, description="the name of a mail server")
    smtp_port: int = Field(587, ge=1, le=65_535, description="a port from 1 to 65535")
    smtp_security: str = Field("starttls", pattern="^(starttls|tls|none)$", description="starttls, tls or none")
    smtp_user: str | None = Field(None, description="the mail server's user name")
    smtp_password: SecretStr | None = Field(None, description="the mail server's password")
    mail_from: str | None = Field(None, description="the sender's address; needed with SMTP_HOST")
    mail_to: str | None = Field(
        None, description="addresses with commas or semicolons between them; needed with SMTP_HOST and MAIL_FROM"
    )
    timeout_seconds: float = Field(10, gt=0, le=120, description="a number of seconds above 0, at most 120")

    @field_validator("webhook_url")
    @classmethod
    def _http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            address = urlsplit(value.get_secret_value())
            if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
                raise ValueError("no address")
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
        # Named at the field that is missing: half a mail server would lose every mail without a word.
        if values.get("smtp_host"):
            for name in ("mail_from", "mail_to"):
                values.setdefault(name, "(unset)")
        return values

    @property
    def recipients(self) -> list[str]:
        """The addresses that get mails, one by one."""
        return _split(self.mail_to or "")

    @property
    def sinks(self) -> tuple[str, ...]:
        """The names of the sinks that are set up; the file is always one."""
        webhook = ("webhook",) if self.webhook_url else ()
        return ("file", *webhook, *(("mail",) if self.smtp_host else ()))


def _split(addresses: str) -> list[str]:
    return [address.strip() for address in re.split("[,;]", addresses) if address.strip()]


def read_alert_settings(environment: Mapping[str, str] | None = None) -> AlertSettings:
    """The sinks that the environment gives.

    Raises:
        SettingsError: one sentence that names the variable and what is allowed.
    """
    return read_model(AlertSettings, environment)
