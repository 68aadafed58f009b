"""What an administrator may choose about the intake: one frozen class, read once, checked before the port is opened.

Where the bucket is says `ingestion.settings`; both are needed to start.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from ingestion.errors import SettingsError
from ingestion.settings import FrozenSettings, read_model

ENVIRONMENT_PREFIX = "FLOORHOUSE_INTAKE_"


class IntakeSettings(FrozenSettings):
    """Limits and times of the intake."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX)

    host: str = Field("127.0.0.1", description="the name or address of an interface of this machine")
    port: int = Field(8090, ge=0, le=65_535, description="a port from 1 to 65535, or 0 for any that is free")
    api_keys_file: Path | None = Field(None, description="the path of a file with the columns of its README")
    allow_without_key: bool = Field(False, description="yes or no")
    max_body_bytes: int = Field(4 << 20, ge=1 << 10, le=64 << 20, description="a number of bytes from 1024 to 67108864")
    max_batch_records: int = Field(10_000, ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
    max_waiting_requests: int = Field(1024, ge=1, le=100_000, description="a whole number from 1 to 100000")
    max_waiting_bytes: int = Field(
        64 << 20, ge=1 << 10, le=4 << 30, description="a number of bytes from 1024 to 4294967296"
    )
    group_bytes: int = Field(64 << 10, ge=1, le=64 << 20, description="a number of bytes from 1 to 67108864")
    group_milliseconds: float = Field(100, ge=0, le=60_000, description="a number of milliseconds from 0 to 60000")
    read_seconds: float = Field(10, gt=0, le=3600, description="a number of seconds above 0, at most 3600")
    write_seconds: float = Field(10, gt=0, le=3600, description="a number of seconds above 0, at most 3600")

    @field_validator("api_keys_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    def check(self) -> None:
        """Stop before the port opens where two settings do not go together.

        Raises:
            SettingsError: one sentence that names both.
        """
        if self.max_waiting_bytes < self.max_body_bytes:
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}MAX_WAITING_BYTES is {self.max_waiting_bytes}, which is less than "
                f"{ENVIRONMENT_PREFIX}MAX_BODY_BYTES, {self.max_body_bytes}: the largest request would never fit."
            )
        if self.api_keys_file is None and not self.allow_without_key:
            raise SettingsError(
                f"No API keys are set, so that every program that reaches {self.host} could write; set "
                f"{ENVIRONMENT_PREFIX}API_KEYS_FILE, or {ENVIRONMENT_PREFIX}ALLOW_WITHOUT_KEY=yes where that is meant."
            )


def read_intake_settings(environment: Mapping[str, str] | None = None, **given: object) -> IntakeSettings:
    """The settings that the environment gives, and before it the arguments; an empty variable is an unset one.

    Raises:
        SettingsError: one sentence that names the variable, its value and what is allowed.
    """
    settings = read_model(IntakeSettings, environment, **given)
    settings.check()
    return settings
