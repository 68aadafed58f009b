"""`floorhouse settings`: prints every setting in force: its value, its source and its meaning.

The edge uploader has its own settings on the machines that it runs on. They are not shown here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from ingestion.bridge.settings import BridgeSettings
from ingestion.intake.settings import IntakeSettings
from ingestion.settings import Settings
from ingestion.settings_sources import FrozenSettings, allowed_of, gather, is_secret, read_model, shown, variable_of
from quality.alerts.settings import AlertSettings

PARTS: dict[str, type[FrozenSettings]] = {
    "the plant": Settings,
    "alerts": AlertSettings,
    "the intake": IntakeSettings,
    "the bridge": BridgeSettings,
}
SET_SECRETLY = "set, not shown"


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting in force. `value` is None if the setting is unset, and never contains a secret."""

    name: str
    value: str | float | bool | None
    source: str  # default, environment or floorhouse.toml
    meaning: str
    allowed: str


def show_settings(as_json: bool) -> int:
    """Print every setting, and return exit status 0.

    Raises:
        SettingsError: one of them is wrong.
    """
    found = {part: list(in_force(model)) for part, model in PARTS.items()}
    if as_json:
        print(json.dumps([asdict(one) for settings in found.values() for one in settings], indent=2))
        return 0
    for part, settings in found.items():
        print(f"Settings of {part}\n")
        for one in settings:
            print(f"{one.name} = {shown(one.value)}  ({one.source})\n    {one.meaning}")
        print()
    return 0


def in_force(model: type[FrozenSettings], environment: Mapping[str, str] | None = None) -> Iterator[InForce]:
    """The settings of a class. Raises SettingsError if one is wrong."""
    gathered = gather(model, environment)
    settings = read_model(model, environment)
    for name, field in model.model_fields.items():
        source = gathered[name].source if name in gathered else "default"
        value = SET_SECRETLY if is_secret(model, name) and getattr(settings, name) else _plain(getattr(settings, name))
        yield InForce(variable_of(model, name), value, source, field.description or "", allowed_of(model, name))


def _plain(value: object) -> str | float | bool | None:
    if isinstance(value, Path):
        return str(value)
    assert not isinstance(value, SecretStr)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | float) else str(value) if value not in (None, "") else None
