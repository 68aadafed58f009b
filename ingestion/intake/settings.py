"""The settings of the intake: one frozen class, read once and checked before the port opens.

`ingestion.settings` names the bucket; the intake needs both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import field_validator
from pydantic_settings import SettingsConfigDict

from ingestion.errors import SettingsError
from ingestion.settings_sources import FrozenSettings, read_model, setting

ENVIRONMENT_PREFIX = "FLOORHOUSE_INTAKE_"


class IntakeSettings(FrozenSettings):
    """Limits and times of the intake."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX)

    host: str = setting(
        "127.0.0.1",
        means="The interface to listen on; also --host.",
        allowed="the name or address of an interface of this machine",
    )
    port: int = setting(
        8090,
        ge=0,
        le=65_535,
        means="The port to listen on, 0 for any that is free; also --port.",
        allowed="a port from 1 to 65535, or 0 for any that is free",
    )
    api_keys_file: Path | None = setting(
        None, means="The file of API keys.", allowed="the path of a file with the columns of its README"
    )
    reviewers_file: Path | None = setting(
        None,
        means="The file of reviewers' keys; with it the intake serves the labelling page.",
        allowed="the path of a file with the columns of its README",
    )
    allow_without_key: bool = setting(
        False,
        means="Whoever reaches the intake may write without a key; without it and without keys it does not start.",
        allowed="yes or no",
    )
    max_body_bytes: int = setting(
        4 << 20, ge=1 << 10, le=64 << 20, means="The largest body.", allowed="a number of bytes from 1024 to 67108864"
    )
    max_batch_records: int = setting(
        10_000, ge=1, le=1_000_000, means="The most records in a batch.", allowed="a whole number from 1 to 1000000"
    )
    max_waiting_requests: int = setting(
        1024,
        ge=1,
        le=100_000,
        means="Requests that may wait at once before the answer is 429.",
        allowed="a whole number from 1 to 100000",
    )
    max_waiting_bytes: int = setting(
        64 << 20,
        ge=1 << 10,
        le=4 << 30,
        means="Bytes that the waiting requests may hold.",
        allowed="a number of bytes from 1024 to 4294967296",
    )
    group_bytes: int = setting(
        64 << 10,
        ge=1,
        le=64 << 20,
        means="An object is written when so many bytes are gathered.",
        allowed="a number of bytes from 1 to 67108864",
    )
    group_milliseconds: float = setting(
        100,
        ge=0,
        le=60_000,
        means="An object is written when its oldest request has waited so long, or nobody is left to wait for.",
        allowed="a number of milliseconds from 0 to 60000",
    )
    read_seconds: float = setting(
        10,
        gt=0,
        le=3600,
        means="How long a body may take to arrive.",
        allowed="a number of seconds above 0, at most 3600",
    )
    write_seconds: float = setting(
        10,
        gt=0,
        le=3600,
        means="How long the bucket may take before the answer is 503.",
        allowed="a number of seconds above 0, at most 3600",
    )

    @field_validator("api_keys_file", "reviewers_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    def check(self) -> None:
        """Refuse settings that do not fit together, before the port opens.

        Raises:
            SettingsError: one sentence that names both.
        """
        if self.max_waiting_bytes < self.max_body_bytes:
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}MAX_WAITING_BYTES is {self.max_waiting_bytes}, which is less than "
                f"{ENVIRONMENT_PREFIX}MAX_BODY_BYTES, {self.max_body_bytes}: the largest request would never fit."
            )
        if self.api_keys_file is None and self.reviewers_file is None and not self.allow_without_key:
            raise SettingsError(
                f"No API keys are set, so that every program that reaches {self.host} could write; set "
                f"{ENVIRONMENT_PREFIX}API_KEYS_FILE, or {ENVIRONMENT_PREFIX}ALLOW_WITHOUT_KEY=yes where that is meant."
            )


def read_intake_settings(environment: Mapping[str, str] | None = None, **given: object) -> IntakeSettings:
    """The settings from the arguments and then from the environment. An empty variable counts as unset.

    Raises:
        SettingsError: one sentence that names the variable, its value and what is allowed.
    """
    settings = read_model(IntakeSettings, environment, **given)
    settings.check()
    return settings
