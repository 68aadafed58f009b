"""Where settings come from: arguments, then the environment, then `floorhouse.toml` in the data folder, then defaults.

What can be set say the classes; here they get their values, and whoever asks learns which source a value has.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources.utils import parse_env_vars

from ingestion.errors import SettingsError
from ingestion.variables import ALERT, BRIDGE, INTAKE, PLANT, PREFIX, nearest, unknown_variable

FILE_NAME = "floorhouse.toml"
DATA_DIR = "DATA_DIR"

# The tables of the file, with the names of their variables; "" is what stands before the first table.
_TABLES = {"": PLANT, "alert": ALERT, "intake": INTAKE, "bridge": BRIDGE}


class FrozenSettings(BaseSettings):
    """Base of all settings classes, which `read_model` reads from the variables `env_prefix` + field name.

    Its fields are made by `setting`. An object created in Python has only its arguments and the defaults: only
    `read_model` reads the environment and the file.
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


def setting(default: Any, *, means: str, allowed: str, **limits: Any) -> Any:
    """A field of a settings class: `means` says in one sentence what it does, `allowed` ends "… allowed: …"."""
    return Field(default, description=means, json_schema_extra={"allowed": allowed}, **limits)


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given, before it is judged: a text, where it has one, and its source in words."""

    value: object
    source: str
    name: str  # as it stands there: a variable, or a file with a key


_LOGIN = re.compile(r"//\S*@")


def variable_of(model: type[FrozenSettings], field: str) -> str:
    """The variable of a field."""
    return f"{model.model_config['env_prefix']}{field.upper()}"


def is_secret(model: type[FrozenSettings], field: str) -> bool:
    """Whether a field's value must not be shown."""
    return "SecretStr" in str(model.model_fields[field].annotation)


def settings_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where the file of settings would be: in the data folder, which only the environment names."""
    environment = os.environ if environment is None else environment
    folder = environment.get(PREFIX + DATA_DIR, "").strip() or "data"
    return Path(folder).expanduser().absolute() / FILE_NAME


def gather(model: type[FrozenSettings], environment: Mapping[str, str] | None = None) -> dict[str, Given]:
    """What environment and file give for the fields of a class. Outer white space is ignored; empty means unset.

    Raises:
        SettingsError: a variable or a key of the file is unknown, or the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    if sentence := unknown_variable(environment):
        raise SettingsError(sentence)
    source = EnvSettingsSource(model)
    stripped = {name: value.strip() for name, value in environment.items()}
    source.env_vars = parse_env_vars(stripped, ignore_empty=True)
    by_variable = {name: Given(value, "environment", variable_of(model, name)) for name, value in source().items()}
    in_file = _read_file(settings_file(environment)).get(_table_of(model), {})
    # A secret has two forms, itself and its file: one that the environment gives wins over both in the file.
    beaten = {form for name in by_variable for form in (name, f"{name}_file", name.removesuffix("_file"))}
    by_file = {name: given for name, given in in_file.items() if name in model.model_fields and name not in beaten}
    return by_file | by_variable


def read_model(model: type[Model], environment: Mapping[str, str] | None = None, **given: object) -> Model:
    """Read a settings class from its sources; values in `given` that are not None take precedence.

    Raises:
        SettingsError: one sentence that names the variable, or the file and its key, the value and what is allowed.
    """
    gathered = gather(model, environment)
    values: dict[str, Any] = {name: one.value for name, one in gathered.items()}
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0] if first["loc"] else first["ctx"]["field"])
        shown = "not shown here" if is_secret(model, name) else without_login(repr(values.get(name)))
        is_gathered = name in gathered and given.get(name) is None
        where = gathered[name].name if is_gathered else variable_of(model, name)
        # No cause: it would carry every value, including secrets, into a traceback.
        raise SettingsError(f"{where} is {shown}; allowed: {allowed_of(model, name)}.") from None


def without_login(text: str) -> str:
    """The text with the user and password of every address in it left out."""
    return _LOGIN.sub("//…@", text)


def allowed_of(model: type[FrozenSettings], field: str) -> str:
    """Which values a field takes, as the end of a sentence."""
    extra = model.model_fields[field].json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else ""


def shown(value: object) -> str:
    """A setting's value as people read it."""
    if value in (None, ""):
        return "unset"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _table_of(model: type[FrozenSettings]) -> str:
    return str(model.model_config["env_prefix"]).removeprefix(PREFIX).strip("_").lower()


def _read_file(path: Path) -> dict[str, dict[str, Given]]:
    """Each table's keys with their values; nothing where there is no file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"The settings file {path} is no TOML: {error}.") from None
    tables: dict[str, dict[str, Given]] = {name: {} for name in _TABLES}
    for key, value in content.items():
        if isinstance(value, dict) and key in _TABLES:
            for inner, one in value.items():
                tables[key][inner] = _given(path, key, inner, one)
        else:
            tables[""][key] = _given(path, "", key, value)
    return {name: {key: one for key, one in keys.items() if one.value != ""} for name, keys in tables.items()}


def _given(path: Path, table: str, key: str, value: object) -> Given:
    shown = f"{table}.{key}" if table else key
    known = {name.removeprefix(f"{table}_".upper()).lower() for name in _TABLES[table]}
    if not table and key == DATA_DIR.lower():
        raise SettingsError(
            f"{path}: {shown} cannot stand here, as it says where this file is; set {PREFIX}{DATA_DIR}."
        )
    if key not in known:
        near = nearest(key, {*known, *(f"[{name}]" for name in _TABLES if name and not table)})
        raise SettingsError(f"{path}: {shown} is no setting; the nearest name is {near}.")
    return Given(_as_text(value), FILE_NAME, f"{path}: {shown}")


def _as_text(value: object) -> object:
    """A value of the file as a variable would give it, so that both are judged alike; a list or a date stays."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, str | int | float) else value
