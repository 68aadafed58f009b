"""Every setting of the contract (§8) in one frozen class, read once and validated before anything is changed.

No other module reads settings from the environment.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources.utils import parse_env_vars

from ingestion.errors import SettingsError
from serving.known_hosts import read_hosts

ENVIRONMENT_PREFIX = "FLOORHOUSE_"

# Shorter keys can be guessed: a person who knows the worker ids could find the key and thus everybody's pseudonym.
MIN_PSEUDONYM_KEY_CHARACTERS = 32
_MIN_DIFFERENT_CHARACTERS = 10
_KEY_RULE = (
    f"at least {MIN_PSEUDONYM_KEY_CHARACTERS} characters, {_MIN_DIFFERENT_CHARACTERS} of them different, which repeats "
    "no shorter text and counts no alphabet up (`openssl rand -hex 32` makes one)"
)

_DAYS = "unset (for ever), or a whole number of days from 1 to 36500"


class FrozenSettings(BaseSettings):
    """Base of all settings classes, which `read_model` reads from the variables `env_prefix` + field name.

    A field's description is the end of the sentence "… allowed: …". An object created in Python has only its arguments
    and the defaults: only `read_model` reads the environment.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use the constructor's arguments as the only source."""
        return (init_settings,)


Model = TypeVar("Model", bound=FrozenSettings)


class Settings(FrozenSettings):
    """What an administrator may choose. Paths are absolute; minutes may have fractions."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX)

    data_dir: Path = Field(Path("data"), description="the path of a folder")
    data_readers: Literal["owner", "group", "everyone"] = Field("group", description="owner, group or everyone")
    landing_url: str = Field("", description="file:///folder or s3://bucket/prefix")
    landed_objects: Literal["archive", "keep"] = Field("archive", description="archive or keep")
    last_event_minutes: float = Field(30, gt=0, le=1440, description="a number of minutes above 0, at most 1440")
    max_state_minutes: float | None = Field(
        None, gt=0, le=1440, description="unset, or a number of minutes above 0, at most 1440"
    )
    still_seconds: float = Field(0, ge=0, le=86_400, description="a number of seconds from 0 to 86400")
    registry_still_seconds: float = Field(5, ge=0, le=300, description="a number of seconds from 0 to 300")
    max_object_bytes: int = Field(
        1_073_741_824, ge=1_000, le=8_589_934_592, description="a whole number of bytes from 1000 to 8589934592"
    )
    max_record_bytes: int = Field(
        1_048_576, ge=1_000, le=67_108_864, description="a whole number of bytes from 1000 to 67108864"
    )
    max_object_records: int = Field(10_000_000, ge=1, le=1_000_000_000, description="a whole number, at least 1")
    site_url: str = Field(
        "http://127.0.0.1:8080/", pattern=r"^https?://[^\s]+$", description="the report's address, http:// or https://"
    )
    allowed_hosts: str = Field(
        "", description="names or addresses of this machine with commas between them, each with a port or without"
    )
    review_fraction: float = Field(0.01, ge=0, le=1, description="a number from 0 to 1")
    old_event_days: int = Field(400, ge=1, le=36_500, description="a whole number of days from 1 to 36500")
    confidence_floor: float = Field(0.85, ge=0, le=1, description="a number from 0 to 1")
    retraining_floor_days: int = Field(3, ge=0, le=365, description="a whole number of days from 0 (never) to 365")
    retraining_mix_shift: float = Field(0.15, ge=0, le=1, description="a share from 0 (never) to 1")
    retraining_accuracy: float = Field(0.90, ge=0, le=1, description="a share from 0 (never) to 1")
    retraining_least_labels: int = Field(100, ge=1, description="a whole number of labelled events, at least 1")
    retraining_every_days: int = Field(30, ge=0, le=3650, description="a whole number of days from 0 (never) to 3650")
    trainer_command: str = Field("", description="empty, or a command and its arguments as a shell would split them")
    worker_identity: Literal["named", "pseudonym", "aggregate"] = Field(
        "named", description="named, pseudonym (which needs FLOORHOUSE_PSEUDONYM_KEY or its _FILE) or aggregate"
    )
    pseudonym_key: SecretStr | None = Field(
        None,
        min_length=MIN_PSEUDONYM_KEY_CHARACTERS,
        description=f"a secret text of {_KEY_RULE}",
    )
    pseudonym_key_file: Path | None = Field(None, description=f"a file that holds a secret text of {_KEY_RULE}")
    min_group: int = Field(5, ge=2, le=1000, description="a whole number of workers from 2 to 1000")
    retention_event_days: int | None = Field(None, ge=1, le=36_500, description=_DAYS)
    retention_person_days: int | None = Field(None, ge=1, le=36_500, description=_DAYS)
    retention_archive_days: int | None = Field(
        None, ge=0, le=36_500, description="unset (for ever), or a whole number of days from 0 to 36500"
    )
    retention_grace_days: int = Field(7, ge=0, le=30, description="a whole number of days from 0 to 30")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        if value.exists() and not value.is_dir():
            raise ValueError("not a folder")
        return value.expanduser().absolute()

    @field_validator("landing_url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        is_local = value.startswith("file:///")
        is_s3 = value.startswith("s3://") and len(value) > len("s3://") and value[len("s3://")] != "/"
        if value and not (is_local or is_s3):
            raise ValueError("unknown scheme")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        read_hosts(value)
        return value

    @field_validator("trainer_command")
    @classmethod
    def _can_be_split(cls, value: str) -> str:
        shlex.split(value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _landing_below_data_dir(cls, values: dict[str, object]) -> dict[str, object]:
        if not values.get("landing_url"):
            data_dir = Path(str(values.get("data_dir") or "data")).expanduser().absolute()
            values = {**values, "landing_url": (data_dir / "landing").as_uri()}
        return values

    @field_validator("pseudonym_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and is_weak(value.get_secret_value()):
            raise ValueError("weak")
        return value

    @field_validator("pseudonym_key_file")
    @classmethod
    def _holds_a_key(cls, value: Path | None) -> Path | None:
        if value is not None and is_weak(_read_key(value)):
            raise ValueError("weak")
        return value

    @model_validator(mode="after")
    def _pseudonyms_need_a_key(self) -> Settings:
        if self.worker_identity == "pseudonym" and self.secret_key is None:
            raise PydanticCustomError("no_key", "pseudonyms need a key", {"field": "worker_identity"})
        return self

    @property
    def secret_key(self) -> bytes | None:
        """The pseudonym key from the variable, or else from the file; None if neither is set."""
        if self.pseudonym_key is not None:
            return self.pseudonym_key.get_secret_value().encode()
        return None if self.pseudonym_key_file is None else _read_key(self.pseudonym_key_file).encode()

    @property
    def pseudonymises(self) -> bool:
        """Whether worker ids are replaced at landing: with `pseudonym`, and with `aggregate` if a key is given."""
        return self.worker_identity != "named" and self.secret_key is not None

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file. Only a batch opens it; all readers use the published files."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def published_path(self) -> Path:
        """A link to the folder of the newest complete version of all marts."""
        return self.data_dir / "published"

    @property
    def site_path(self) -> Path:
        """The static site that is served."""
        return self.data_dir / "site"

    @property
    def outbox_path(self) -> Path:
        """Files for labelling tools and trainers to collect."""
        return self.data_dir / "outbox"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own records of runs and events."""
        return self.data_dir / "dagster"

    @property
    def quality_path(self) -> Path:
        """The check results of the newest batch for Dagster, and their pages for the site."""
        return self.data_dir / "quality"

    @property
    def alerts_path(self) -> Path:
        """One line for each opening and each closing of an incident."""
        return self.data_dir / "alerts.log"

    @property
    def alerts_folder(self) -> Path:
        """The alerts to send, and which sinks have received them."""
        return self.data_dir / "alerts"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment; an empty variable counts as unset.

    Raises:
        SettingsError: one sentence that names the variable, its value and what is allowed.
    """
    return read_model(Settings, environment)


def read_model(model: type[Model], environment: Mapping[str, str] | None = None, **given: object) -> Model:
    """Read a settings class from its variables; values in `given` that are not None take precedence.

    Outer white space is ignored, and an empty variable counts as unset.

    Raises:
        SettingsError: one sentence that names the variable, its value and what is allowed.
    """
    source = EnvSettingsSource(model)
    stripped = {name: value.strip() for name, value in (os.environ if environment is None else environment).items()}
    source.env_vars = parse_env_vars(stripped, ignore_empty=True)
    values = source()
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0] if first["loc"] else first["ctx"]["field"])
        field = model.model_fields[name]
        shown = "not shown here" if "SecretStr" in str(field.annotation) else repr(values.get(name))
        variable = f"{model.model_config['env_prefix']}{name.upper()}"
        # No cause: it would carry every value, including secrets, into a traceback.
        raise SettingsError(f"{variable} is {shown}; allowed: {field.description}.") from None


def is_weak(key: str) -> bool:
    """Whether a key can be tried out: too short, of few characters, a text again and again, or an alphabet."""
    if len(key) < MIN_PSEUDONYM_KEY_CHARACTERS or len(set(key)) < _MIN_DIFFERENT_CHARACTERS:
        return True
    if any(key[period:] == key[:-period] for period in range(1, len(key) // 2 + 1)):
        return True
    steps = [ord(after) - ord(before) for before, after in pairwise(key)]
    return max(map(steps.count, set(steps))) * 2 > len(steps)


def _read_key(path: Path) -> str:
    """A key file's trimmed text. Raises OSError or UnicodeDecodeError if the file is unreadable."""
    try:
        return path.expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError("cannot be read") from error
