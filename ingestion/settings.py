"""Every setting of the contract (§8) in one frozen class, read once and validated before anything is changed.

What a field means and allows stands here alone: `floorhouse settings` shows it, and `python -m scripts.settings_pages`
writes it into README.md and .env.example.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from ingestion.media_url import check_template
from ingestion.settings_sources import FrozenSettings, read_model, setting
from ingestion.variables import PREFIX
from serving.known_hosts import read_hosts

ENVIRONMENT_PREFIX = PREFIX

# Shorter keys can be guessed: a person who knows the worker ids could find the key and thus everybody's pseudonym.
MIN_PSEUDONYM_KEY_CHARACTERS = 32
_MIN_DIFFERENT_CHARACTERS = 10
_KEY_RULE = (
    f"at least {MIN_PSEUDONYM_KEY_CHARACTERS} characters, {_MIN_DIFFERENT_CHARACTERS} of them different, which repeats "
    "no shorter text and counts no alphabet up (`openssl rand -hex 32` makes one)"
)

_DAYS = "unset (for ever), or a whole number of days from 1 to 36500"


class ReportSettings(FrozenSettings):
    """What the report's server needs, which is given no secret and no right to write. Paths are absolute."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX)

    data_dir: Path = setting(
        Path("data"),
        means="The data folder: local bucket, warehouse, published marts, report; containers fix it to /data.",
        allowed="the path of a folder",
    )
    site_url: str = setting(
        "http://127.0.0.1:8080/",
        pattern=r"^https?://[^\s]+$",
        means="The report's address, for the links in alerts.",
        allowed="the report's address, http:// or https://",
    )
    allowed_hosts: str = setting(
        "",
        means="Comma-separated names and addresses that the report, Dagster and the intake accept in addition to "
        "loopback, such as plant.example,10.1.2.3:8443; requests under other names are refused, so that no web page "
        "reaches them through a reader's browser.",
        allowed="names or addresses of this machine with commas between them, each with a port or without",
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        if value.exists() and not value.is_dir():
            raise ValueError("not a folder")
        return value.expanduser().absolute()

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        read_hosts(value)
        return value

    @property
    def published_path(self) -> Path:
        """A link to the folder of the newest complete version of all marts."""
        return self.data_dir / "published"

    @property
    def site_path(self) -> Path:
        """The static site that is served."""
        return self.data_dir / "site"


class Settings(ReportSettings):
    """What an administrator may choose. Paths are absolute; minutes may have fractions."""

    data_readers: Literal["owner", "group", "everyone"] = setting(
        "group",
        means="Who on this machine may read the data folder: owner (0700), group (0750) or everyone (0755); cameras "
        "that write into a local bucket as another user need its group or everyone.",
        allowed="owner, group or everyone",
    )
    plant_name: str = setting(
        "",
        pattern=r"^[^\x00-\x1f\x7f]{0,80}$",
        means="The plant's name in the titles of the report's pages and on paper; unset, they say Floorhouse.",
        allowed="unset, or a name of at most 80 characters on one line",
    )
    landing_url: str = setting(
        "",
        means="The landing bucket; unset, it is the folder landing/ of the data folder.",
        allowed="file:///folder or s3://bucket/prefix",
    )
    landed_objects: Literal["archive", "keep"] = setting(
        "archive",
        means="Landed objects move to archive/ of the same bucket (archive), or stay where they are (keep).",
        allowed="archive or keep",
    )
    last_event_minutes: float = setting(
        30,
        gt=0,
        le=1440,
        means="How long a worker's last state in a window lasts.",
        allowed="a number of minutes above 0, at most 1440",
    )
    max_state_minutes: float | None = setting(
        None,
        gt=0,
        le=1440,
        means="The longest that any state may last, for plants whose cameras go dark; unset, there is no limit.",
        allowed="unset, or a number of minutes above 0, at most 1440",
    )
    still_seconds: float = setting(
        0,
        ge=0,
        le=86_400,
        means="An object lands after it has been unchanged for this many seconds, for writers that cannot rename; 0: "
        "at once.",
        allowed="a number of seconds from 0 to 86400",
    )
    registry_still_seconds: float = setting(
        5,
        ge=0,
        le=300,
        means="A registry file is read after it has been unchanged for this many seconds; a batch waits once for a "
        "file that has just changed.",
        allowed="a number of seconds from 0 to 300",
    )
    least_batch_seconds: float = setting(
        5,
        ge=0,
        le=3600,
        means="The least time between the starts of two batches of the daemon's watcher, so that a camera that writes "
        "every second starts no batch a second.",
        allowed="a number of seconds from 0 to 3600",
    )
    max_object_bytes: int = setting(
        1_073_741_824,
        ge=1_000,
        le=8_589_934_592,
        means="A larger object (also after unpacking) is one rejected record and stays in the archive; so is an array "
        "or another multi-line document above 256 MiB, which cannot be read in blocks.",
        allowed="a whole number of bytes from 1000 to 8589934592",
    )
    max_record_bytes: int = setting(
        1_048_576,
        ge=1_000,
        le=67_108_864,
        means="Larger records are rejected, with the start of their text.",
        allowed="a whole number of bytes from 1000 to 67108864",
    )
    max_object_records: int = setting(
        10_000_000,
        ge=1,
        le=1_000_000_000,
        means="An object of more lines or array elements is one rejected record and stays in the archive.",
        allowed="a whole number, at least 1",
    )
    old_event_days: int = setting(
        400,
        ge=1,
        le=36_500,
        means="Events that land this many days older than their site's newest event are counted separately and raise "
        "a warning, because a clock may have stopped.",
        allowed="a whole number of days from 1 to 36500",
    )
    review_fraction: float = setting(
        0.01,
        ge=0,
        le=1,
        means="The share of events that are sampled for review.",
        allowed="a number from 0 to 1",
    )
    media_url: str = setting(
        "",
        means="The address of an event's image or clip for reviewers, such as "
        "https://recorder.example/{camera_id}/{timestamp}.jpg; the README of the intake names the placeholders.",
        allowed="unset, or an http:// or https:// address without a user, with placeholders such as {camera_id}",
    )
    confidence_floor: float = setting(
        0.85,
        ge=0,
        le=1,
        means="The mean confidence that a model should not fall below.",
        allowed="a number from 0 to 1",
    )
    retraining_floor_days: int = setting(
        3,
        ge=0,
        le=365,
        means="Consecutive days below the floor that request retraining; 0: never.",
        allowed="a whole number of days from 0 (never) to 365",
    )
    retraining_mix_shift: float = setting(
        0.15,
        ge=0,
        le=1,
        means="The share of a week's events with other types than the baseline that requests retraining; 0: never.",
        allowed="a share from 0 (never) to 1",
    )
    normal_after_labelled_days: int = setting(
        14,
        ge=0,
        le=3650,
        means="Labelled days in a row that agree with a new version, until its changed level is normal; 0: never.",
        allowed="a whole number of days from 0 (never) to 3650",
    )
    retraining_accuracy: float = setting(
        0.90,
        ge=0,
        le=1,
        means="Retraining is requested when the labelled accuracy is shown to be below this; 0: never.",
        allowed="a share from 0 (never) to 1",
    )
    retraining_every_days: int = setting(
        30,
        ge=0,
        le=3650,
        means="The days after which retraining is requested in any case; 0: never.",
        allowed="a whole number of days from 0 (never) to 3650",
    )
    retraining_least_labels: int = setting(
        100,
        ge=1,
        means="The labelled events in 30 days needed to judge the accuracy.",
        allowed="a whole number of labelled events, at least 1",
    )
    trainer_command: str = setting(
        "",
        means="The command that is run for each new request, with the path of its manifest as last argument; unset, "
        "requests wait in outbox/retraining/.",
        allowed="empty, or a command and its arguments as a shell would split them",
    )
    worker_identity: Literal["named", "pseudonym", "aggregate"] = setting(
        "named",
        means="How people are named (docs/privacy.md): named, pseudonym (keyed hashes in place of worker ids and "
        "names) or aggregate (nothing about single persons is published).",
        allowed="named, pseudonym (which needs FLOORHOUSE_PSEUDONYM_KEY or its _FILE) or aggregate",
    )
    pseudonym_key: SecretStr | None = setting(
        None,
        min_length=MIN_PSEUDONYM_KEY_CHARACTERS,
        means="The secret key of the pseudonyms; a lost key cannot be replaced.",
        allowed=f"a secret text of {_KEY_RULE}",
    )
    pseudonym_key_file: Path | None = setting(
        None,
        means="A file that contains the secret key of the pseudonyms.",
        allowed=f"a file that holds a secret text of {_KEY_RULE}",
    )
    min_group: int = setting(
        5,
        ge=2,
        le=1000,
        means="With aggregate, figures about fewer workers than this are not published.",
        allowed="a whole number of workers from 2 to 1000",
    )
    retention_event_days: int | None = setting(
        None,
        ge=1,
        le=36_500,
        means="How long raw events and rejected records are kept, by their time; unset: for ever.",
        allowed=_DAYS,
    )
    retention_person_days: int | None = setting(
        None,
        ge=1,
        le=36_500,
        means="How long rows about single persons are kept, by shift date; unset: for ever.",
        allowed=_DAYS,
    )
    retention_archive_days: int | None = setting(
        None,
        ge=0,
        le=36_500,
        means="How long archived objects are kept after they landed; 0: only for the grace period; unset: for ever.",
        allowed="unset (for ever), or a whole number of days from 0 to 36500",
    )
    retention_grace_days: int = setting(
        7,
        ge=0,
        le=30,
        means="The days that due data is kept before deletion, so that a wrong clock or setting can be corrected.",
        allowed="a whole number of days from 0 to 30",
    )

    @field_validator("media_url")
    @classmethod
    def _is_template(cls, value: str) -> str:
        return check_template(value) if value else value

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
    """Read the settings from the environment and the data folder's file; an empty variable counts as unset.

    Raises:
        SettingsError: one sentence that names the variable or the file's key, its value and what is allowed.
    """
    return read_model(Settings, environment)


def read_report_settings(environment: Mapping[str, str] | None = None) -> ReportSettings:
    """Read what the report's server needs, and nothing that it has no use for. Raises as `read_settings`."""
    return read_model(ReportSettings, environment)


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
