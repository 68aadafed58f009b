"""Every setting of the contract (§8): one frozen class, read once, checked before anything is touched.

No other module reads the environment for settings.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingestion.errors import SettingsError

ENVIRONMENT_PREFIX = "FLOORHOUSE_"

Model = TypeVar("Model", bound=BaseModel)


class Settings(BaseModel):
    """What an administrator may choose. Paths are absolute; minutes may have fractions.

    A field's description is the end of the sentence "… allowed is …".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data_dir: Path = Field(Path("data"), validate_default=True, description="the path of a folder")
    landing_url: str = Field("", description="file:///folder or s3://bucket/prefix")
    landed_objects: Literal["archive", "keep"] = Field("archive", description="archive or keep")
    last_event_minutes: float = Field(30, gt=0, le=1440, description="a number of minutes above 0, at most 1440")
    max_state_minutes: float | None = Field(
        None, gt=0, le=1440, description="unset, or a number of minutes above 0, at most 1440"
    )
    still_seconds: float = Field(0, ge=0, le=86_400, description="a number of seconds from 0 to 86400")
    max_object_bytes: int = Field(
        1_073_741_824, ge=1_000, le=8_589_934_592, description="a whole number of bytes from 1000 to 8589934592"
    )
    max_record_bytes: int = Field(
        1_048_576, ge=1_000, le=67_108_864, description="a whole number of bytes from 1000 to 67108864"
    )
    review_fraction: float = Field(0.01, ge=0, le=1, description="a number from 0 to 1")
    confidence_floor: float = Field(0.85, ge=0, le=1, description="a number from 0 to 1")
    retraining_floor_days: int = Field(3, ge=0, le=365, description="a whole number of days from 0 (never) to 365")
    retraining_mix_shift: float = Field(0.15, ge=0, le=1, description="a share from 0 (never) to 1")
    retraining_accuracy: float = Field(0.90, ge=0, le=1, description="a share from 0 (never) to 1")
    retraining_least_labels: int = Field(100, ge=1, description="a whole number of labelled events, at least 1")
    retraining_every_days: int = Field(30, ge=0, le=3650, description="a whole number of days from 0 (never) to 3650")
    trainer_command: str = Field("", description="empty, or a command and its arguments as a shell would split them")

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

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file. Only a batch opens it; every reader takes the published files."""
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
        """Files for labelling tools and trainers to take away."""
        return self.data_dir / "outbox"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own records of runs and events."""
        return self.data_dir / "dagster"

    @property
    def alerts_path(self) -> Path:
        """One line for each failed check."""
        return self.data_dir / "alerts.log"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment gives; an empty variable is an unset one.

    Raises:
        SettingsError: one sentence that names the variable, its value and what is allowed.
    """
    return read_model(Settings, ENVIRONMENT_PREFIX, environment)


def read_model(model: type[Model], prefix: str, environment: Mapping[str, str] | None = None, **given: object) -> Model:
    """A class of settings read from the variables `prefix` + field name; what is `given` and not None comes first.

    A field's description is the end of the sentence "… allowed is …".

    Raises:
        SettingsError: one sentence that names the variable, its value and what is allowed.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {
        name: environment[variable].strip()
        for name in model.model_fields
        if (variable := prefix + name.upper()) in environment and environment[variable].strip()
    }
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return model(**values)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise SettingsError(
            f"{prefix}{name.upper()} is {values.get(name)!r}; allowed is {model.model_fields[name].description}."
        ) from error
